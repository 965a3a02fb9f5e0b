//! Integers: blocks of constant, linear, offset or delta values, bit-packed; densely also through pco.
//!
//! Offsets and deltas are divided by their greatest common divisor: times in whole minutes, floats that began as
//! 32-bit and decimals with trailing zeros then need few bits. All differences wrap, so any `i64` works.

use crate::codec::bytes::{Reader, put_blob, put_signed, put_varint};
use crate::codec::{Effort, bits, pcodec};
use crate::error::{ChunkError, Result};

/// Values per block: one outlier widens only its own block.
const BLOCK: usize = 1024;

const BLOCKS: u8 = 0;
const PCO: u8 = 1;

const CONSTANT: u8 = 0;
const LINEAR: u8 = 1;
const OFFSET: u8 = 2;
const DELTA: u8 = 3;
/// Added to a block's mode when a divisor other than 1 follows.
const DIVIDED: u8 = 4;

/// Writes the values; their number is not written.
pub(crate) fn encode(out: &mut Vec<u8>, values: &[i64], effort: Effort) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let start = out.len();
    out.push(BLOCKS);
    for block in values.chunks(BLOCK) {
        encode_block(out, block);
    }
    let cheap = out.len() - start;
    // Below this size pco's own tables cost more than they can save.
    if effort == Effort::Dense && cheap > 24 {
        let smallest = values.iter().copied().min().unwrap_or_default();
        let divisor = divisor(values.iter().map(|value| value.wrapping_sub(smallest) as u64)).max(1);
        let scaled: Vec<u64> =
            values.iter().map(|value| divide(value.wrapping_sub(smallest) as u64, divisor)).collect();
        let packed = pcodec::encode_u64(&scaled)?;
        if packed.len() + 12 < cheap {
            out.truncate(start);
            out.push(PCO);
            put_signed(out, smallest);
            put_varint(out, divisor);
            put_blob(out, &packed);
        }
    }
    Ok(())
}

/// Reads `count` values.
pub(crate) fn decode(reader: &mut Reader<'_>, count: usize) -> Result<Vec<i64>> {
    let mut values = Vec::with_capacity(count);
    if count == 0 {
        return Ok(values);
    }
    match reader.byte()? {
        BLOCKS => {
            while values.len() < count {
                decode_block(reader, (count - values.len()).min(BLOCK), &mut values)?;
            }
        }
        PCO => {
            let smallest = reader.signed()?;
            let divisor = reader.varint()?;
            let scaled = pcodec::decode_u64(reader.blob()?, count)?;
            values.extend(scaled.into_iter().map(|v| smallest.wrapping_add(v.wrapping_mul(divisor) as i64)));
        }
        _ => return Err(ChunkError::Corrupt("unknown integer codec")),
    }
    Ok(values)
}

fn encode_block(out: &mut Vec<u8>, values: &[i64]) {
    let first = values[0];
    let (mut min, mut max) = (first, first);
    let (mut delta_min, mut delta_max) = (i64::MAX, i64::MIN);
    let mut before = first;
    for &value in &values[1..] {
        min = min.min(value);
        max = max.max(value);
        let delta = value.wrapping_sub(before);
        delta_min = delta_min.min(delta);
        delta_max = delta_max.max(delta);
        before = value;
    }
    if min == max {
        out.push(CONSTANT);
        put_signed(out, first);
        return;
    }
    if delta_min == delta_max {
        out.push(LINEAR);
        put_signed(out, first);
        put_signed(out, delta_min);
        return;
    }
    let offset_range = max.wrapping_sub(min) as u64;
    let delta_range = delta_max.wrapping_sub(delta_min) as u64;
    let offset_divisor = divisor(values.iter().map(|value| value.wrapping_sub(min) as u64));
    let delta_divisor = divisor(deltas(values).map(|delta| delta.wrapping_sub(delta_min) as u64));
    let offset_width = width(divide(offset_range, offset_divisor));
    let delta_width = width(divide(delta_range, delta_divisor));
    if delta_width < offset_width {
        put_mode(out, DELTA, delta_divisor);
        put_signed(out, first);
        put_signed(out, delta_min);
        out.push(delta_width as u8);
        let scaled = deltas(values).map(|delta| divide(delta.wrapping_sub(delta_min) as u64, delta_divisor));
        bits::pack(out, scaled, delta_width);
    } else {
        put_mode(out, OFFSET, offset_divisor);
        put_signed(out, min);
        out.push(offset_width as u8);
        let scaled = values.iter().map(|value| divide(value.wrapping_sub(min) as u64, offset_divisor));
        bits::pack(out, scaled, offset_width);
    }
}

fn decode_block(reader: &mut Reader<'_>, count: usize, values: &mut Vec<i64>) -> Result<()> {
    let mode = reader.byte()?;
    let divisor = if mode & DIVIDED != 0 { reader.varint()? } else { 1 };
    match mode & !DIVIDED {
        CONSTANT => {
            let value = reader.signed()?;
            values.extend(std::iter::repeat_n(value, count));
        }
        LINEAR => {
            let (mut value, step) = (reader.signed()?, reader.signed()?);
            for _ in 0..count {
                values.push(value);
                value = value.wrapping_add(step);
            }
        }
        OFFSET => {
            let min = reader.signed()?;
            let width = u32::from(reader.byte()?);
            bits::unpack(reader, count, width, |offset| {
                values.push(min.wrapping_add(offset.wrapping_mul(divisor) as i64));
            })?;
        }
        DELTA => {
            let (mut value, delta_min) = (reader.signed()?, reader.signed()?);
            let width = u32::from(reader.byte()?);
            values.push(value);
            bits::unpack(reader, count - 1, width, |delta| {
                value = value.wrapping_add(delta_min).wrapping_add(delta.wrapping_mul(divisor) as i64);
                values.push(value);
            })?;
        }
        _ => return Err(ChunkError::Corrupt("unknown integer block")),
    }
    Ok(())
}

fn put_mode(out: &mut Vec<u8>, mode: u8, divisor: u64) {
    if divisor == 1 {
        out.push(mode);
    } else {
        out.push(mode | DIVIDED);
        put_varint(out, divisor);
    }
}

fn deltas(values: &[i64]) -> impl Iterator<Item = i64> + '_ {
    values.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]))
}

fn width(range: u64) -> u32 {
    64 - range.leading_zeros()
}

#[inline]
fn divide(value: u64, divisor: u64) -> u64 {
    if divisor == 1 { value } else { value / divisor }
}

/// The greatest common divisor, 0 for nothing but zeros; most data ends the search at once with 1.
fn divisor(values: impl Iterator<Item = u64>) -> u64 {
    let mut common = 0u64;
    for value in values {
        if common != 0 && value % common == 0 {
            continue;
        }
        let (mut a, mut b) = (common, value);
        while b != 0 {
            (a, b) = (b, a % b);
        }
        common = a;
        if common == 1 {
            break;
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn size(values: &[i64], effort: Effort) -> usize {
        let mut out = Vec::new();
        encode(&mut out, values, effort).unwrap();
        let mut reader = Reader::new(&out);
        assert_eq!(decode(&mut reader, values.len()).unwrap(), values);
        reader.end().unwrap();
        out.len()
    }

    #[test]
    fn regular_values_cost_a_few_bytes() {
        assert!(size(&[42; 1000], Effort::Cheap) <= 3);
        let minutes: Vec<i64> = (0..1000).map(|i| 1_700_000_000_000_000 + i * 60_000_000).collect();
        assert!(size(&minutes, Effort::Cheap) <= 16);
        // Five machines report in turn each minute: the step between rows is 0 or a minute, one bit a row.
        let turns: Vec<i64> = (0..1000).map(|i| 1_700_000_000_000_000 + i / 5 * 60_000_000).collect();
        assert!(size(&turns, Effort::Cheap) <= 1000 / 8 + 30);
    }

    proptest! {
        #[test]
        fn any_integers_come_back(values in prop::collection::vec(any::<i64>(), 0..300), dense in any::<bool>()) {
            size(&values, if dense { Effort::Dense } else { Effort::Cheap });
        }

        #[test]
        fn near_integers_come_back(
            base in any::<i64>(), steps in prop::collection::vec(-5i64..50, 1..2500), factor in 1i64..1_000_000
        ) {
            let values: Vec<i64> = steps.iter().scan(base, |at, step| {
                *at = at.wrapping_add(step.wrapping_mul(factor));
                Some(*at)
            }).collect();
            size(&values, Effort::Cheap);
            size(&values, Effort::Dense);
        }
    }
}
