//! Floats: as decimals where they are (sensor readings nearly always), else by their bits.
//!
//! A value `v` is a decimal of `e` places when `round(v * 10^e) / 10^e` gives `v` back to the bit. The column is then
//! integers, with the values that are none (NaN, infinities, -0.0, full-precision noise) beside them as exceptions.

use crate::codec::bytes::{Reader, put_varint};
use crate::codec::{Effort, integers, pcodec};
use crate::error::{ChunkError, Result};

const POWERS: [f64; 11] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10];
const BITS: u8 = 0xff;
const PCO: u8 = 0xfe;

/// Integers up to here are exact in a float and can be rounded by adding and subtracting `ROUND`.
const LIMIT: f64 = (1u64 << 50) as f64;
const ROUND: f64 = 1.5 * (1u64 << 52) as f64;

pub(crate) fn encode(out: &mut Vec<u8>, values: &[f64], effort: Effort) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    if let Some((places, whole, exceptions)) = to_decimals(values) {
        out.push(places as u8);
        put_varint(out, exceptions.len() as u64);
        let mut before = 0;
        for (row, bits) in exceptions {
            put_varint(out, (row - before) as u64);
            out.extend_from_slice(&bits.to_le_bytes());
            before = row;
        }
        return integers::encode(out, &whole, effort);
    }
    let start = out.len();
    out.push(BITS);
    let bits: Vec<i64> = values.iter().map(|value| value.to_bits() as i64).collect();
    integers::encode(out, &bits, effort)?;
    if effort == Effort::Dense {
        let packed = pcodec::encode_f64(values)?;
        if packed.len() + 1 < out.len() - start {
            out.truncate(start);
            out.push(PCO);
            out.extend_from_slice(&packed);
        }
    }
    Ok(())
}

/// Reads `count` values; what follows them in the reader must be nothing, since pco's bytes go to the end.
pub(crate) fn decode(reader: &mut Reader<'_>, count: usize) -> Result<Vec<f64>> {
    if count == 0 {
        return Ok(Vec::new());
    }
    match reader.byte()? {
        BITS => Ok(integers::decode(reader, count)?.into_iter().map(|bits| f64::from_bits(bits as u64)).collect()),
        PCO => {
            let packed = reader.take(reader.rest().len())?;
            pcodec::decode_f64(packed, count)
        }
        places => {
            let power = *POWERS.get(places as usize).ok_or(ChunkError::Corrupt("unknown float codec"))?;
            let mut exceptions = Vec::new();
            let mut row = 0usize;
            for _ in 0..reader.count(count)? {
                row += reader.count(count)?;
                exceptions.push((row, f64::from_le_bytes(reader.array()?)));
            }
            let whole = integers::decode(reader, count)?;
            let mut values: Vec<f64> = whole.into_iter().map(|value| value as f64 / power).collect();
            for (row, value) in exceptions {
                *values.get_mut(row).ok_or(ChunkError::Corrupt("an exception is beyond the rows"))? = value;
            }
            Ok(values)
        }
    }
}

/// Row and bits of a value that is no decimal.
type Exception = (usize, u64);

/// `None` when more than an eighth of the values are no short decimals.
fn to_decimals(values: &[f64]) -> Option<(usize, Vec<i64>, Vec<Exception>)> {
    const SAMPLES: usize = 16;
    let step = values.len().div_ceil(SAMPLES);
    let misses = |places: usize| values.iter().step_by(step).filter(|v| decimal(**v, POWERS[places]).is_none()).count();
    let allowed = values.len().div_ceil(step) / 8;
    let fewest = (0..POWERS.len()).find(|places| misses(*places) <= allowed)?;
    // The sample can miss values with more places: try a few more before giving up.
    (fewest..POWERS.len()).take(3).find_map(|places| {
        let (whole, exceptions) = try_places(values, POWERS[places])?;
        Some((places, whole, exceptions))
    })
}

fn try_places(values: &[f64], power: f64) -> Option<(Vec<i64>, Vec<Exception>)> {
    let mut whole = Vec::with_capacity(values.len());
    let mut exceptions = Vec::new();
    let most = values.len() / 8;
    // An exception repeats the last good value, so that it does not widen the block.
    let mut last = values.iter().find_map(|value| decimal(*value, power))?;
    for (row, &value) in values.iter().enumerate() {
        match decimal(value, power) {
            Some(integer) => last = integer,
            None if exceptions.len() < most => exceptions.push((row, value.to_bits())),
            None => return None,
        }
        whole.push(last);
    }
    Some((whole, exceptions))
}

#[inline]
fn decimal(value: f64, power: f64) -> Option<i64> {
    let scaled = value * power;
    if scaled.is_nan() || scaled.abs() >= LIMIT {
        return None;
    }
    let rounded = (scaled + ROUND) - ROUND;
    ((rounded / power).to_bits() == value.to_bits()).then_some(rounded as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn size(values: &[f64], effort: Effort) -> usize {
        let mut out = Vec::new();
        encode(&mut out, values, effort).unwrap();
        let mut reader = Reader::new(&out);
        let back = decode(&mut reader, values.len()).unwrap();
        reader.end().unwrap();
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&back), bits(values));
        out.len()
    }

    #[test]
    fn decimals_cost_the_bits_they_carry() {
        let values: Vec<f64> = (0..1000).map(|i| (64_182 + i * 7 % 64) as f64 / 100.0).collect();
        assert!(size(&values, Effort::Cheap) < 1000 * 6 / 8 + 20);
    }

    #[test]
    fn a_few_odd_values_do_not_spoil_a_column() {
        let mut values: Vec<f64> = (0..1000).map(|i| (i % 50) as f64 / 10.0).collect();
        for (row, odd) in [(0, f64::NAN), (5, f64::INFINITY), (10, -0.0), (500, 1e300), (999, 1.0 / 3.0)] {
            values[row] = odd;
        }
        assert!(size(&values, Effort::Cheap) < 1000 * 6 / 8 + 80);
    }

    #[test]
    fn single_precision_does_not_pay_for_double() {
        let values: Vec<f64> = (0..1000).map(|i| f64::from((i as f32 * 0.37).sin())).collect();
        assert!(size(&values, Effort::Cheap) < 1000 * 5, "sign, 8 bits of exponent at most, 23 of mantissa");
    }

    proptest! {
        #[test]
        fn any_floats_come_back(bits in prop::collection::vec(any::<u64>(), 0..300), dense in any::<bool>()) {
            let values: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
            size(&values, if dense { Effort::Dense } else { Effort::Cheap });
        }

        #[test]
        fn decimals_come_back(whole in prop::collection::vec(-1_000_000i64..1_000_000, 0..600), places in 0usize..8) {
            let values: Vec<f64> = whole.into_iter().map(|v| v as f64 / POWERS[places]).collect();
            size(&values, Effort::Cheap);
            size(&values, Effort::Dense);
        }
    }
}
