//! The aggregate of a bucket: what a rollup stores and what merges into larger buckets.
//!
//! NaN and infinities are counted apart and take part in nothing else: one broken reading must not blank a day's
//! mean. Integers take part as floats, so sums are exact up to 2^53.
//!
//! The sum adds in the order of the calls with Neumaier's compensation, whose error does not grow with the count;
//! [`crate::reduce`] adds in the order of rows, and rollups merge in order of time, so a bucket computed again from
//! the same rows gives the same bits. All other parts are independent of order.

use crate::codec::bytes::{Reader, put_signed, put_varint};
use crate::error::{ChunkError, Result};
use crate::sketch::Sketch;

/// A value with its time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub at: i64,
    pub value: f64,
}

/// Count, sum, bounds, first, last and distribution of the finite values of a bucket.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Aggregate {
    count: u64,
    nan: u64,
    infinite: u64,
    sum: f64,
    compensation: f64,
    ends: Option<Ends>,
    sketch: Sketch,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Ends {
    min: f64,
    max: f64,
    first: Point,
    last: Point,
}

impl Aggregate {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn add(&mut self, at: i64, value: f64) {
        if value.is_nan() {
            self.nan += 1;
            return;
        }
        if value.is_infinite() {
            self.infinite += 1;
            return;
        }
        self.count += 1;
        self.add_to_sum(value);
        self.sketch.add(value);
        let point = Point { at, value };
        self.widen(Ends { min: value, max: value, first: point, last: point });
    }

    /// Adds another bucket of the same series. Merge in order of time, so that the sum repeats to the bit.
    pub fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.nan = self.nan.saturating_add(other.nan);
        self.infinite = self.infinite.saturating_add(other.infinite);
        self.add_to_sum(other.sum);
        self.compensation += other.compensation;
        self.sketch.merge(&other.sketch);
        if let Some(ends) = other.ends {
            self.widen(ends);
        }
    }

    /// Finite values.
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn nan_count(&self) -> u64 {
        self.nan
    }

    pub fn infinite_count(&self) -> u64 {
        self.infinite
    }

    /// Nothing was added, not even NaN.
    pub fn is_empty(&self) -> bool {
        self.count == 0 && self.nan == 0 && self.infinite == 0
    }

    /// The sum of the finite values; 0 without any, infinite where it is beyond a float.
    pub fn sum(&self) -> f64 {
        let sum = self.sum + self.compensation;
        // Once the sum itself overflowed, the compensation is meaningless.
        if sum.is_nan() { self.sum } else { sum }
    }

    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum() / self.count as f64)
    }

    pub fn min(&self) -> Option<f64> {
        self.ends.map(|ends| ends.min)
    }

    pub fn max(&self) -> Option<f64> {
        self.ends.map(|ends| ends.max)
    }

    /// The earliest value; of several at that time the smallest.
    pub fn first(&self) -> Option<Point> {
        self.ends.map(|ends| ends.first)
    }

    /// The latest value; of several at that time the largest.
    pub fn last(&self) -> Option<Point> {
        self.ends.map(|ends| ends.last)
    }

    /// Within 1 % of a value of that rank, and within the bounds; exact at 0 and 1.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let ends = self.ends?;
        match q {
            0.0 => Some(ends.min),
            1.0 => Some(ends.max),
            _ => self.sketch.quantile(q).map(|value| value.clamp(ends.min, ends.max)),
        }
    }

    pub fn sketch(&self) -> &Sketch {
        &self.sketch
    }

    fn add_to_sum(&mut self, value: f64) {
        let sum = self.sum + value;
        self.compensation +=
            if self.sum.abs() >= value.abs() { (self.sum - sum) + value } else { (value - sum) + self.sum };
        self.sum = sum;
    }

    fn widen(&mut self, other: Ends) {
        let Some(ends) = &mut self.ends else {
            self.ends = Some(other);
            return;
        };
        let order = |a: Point, b: Point| a.at.cmp(&b.at).then(a.value.total_cmp(&b.value));
        if other.min.total_cmp(&ends.min).is_lt() {
            ends.min = other.min;
        }
        if other.max.total_cmp(&ends.max).is_gt() {
            ends.max = other.max;
        }
        if order(other.first, ends.first).is_lt() {
            ends.first = other.first;
        }
        if order(other.last, ends.last).is_gt() {
            ends.last = other.last;
        }
    }

    /// Compact bytes: about 15 for a bucket of one value, 60 to 150 for a minute of readings.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        let odd = self.nan > 0 || self.infinite > 0;
        // A single value is its own sum, bounds, ends and distribution.
        let single = self.count == 1;
        out.push(VERSION << 4 | if odd { ODD } else { 0 } | if single { SINGLE } else { 0 });
        if odd {
            put_varint(&mut out, self.nan);
            put_varint(&mut out, self.infinite);
        }
        match self.ends {
            Some(ends) if single => {
                put_signed(&mut out, ends.first.at);
                put_float(&mut out, ends.first.value);
            }
            Some(ends) => {
                put_varint(&mut out, self.count);
                put_signed(&mut out, ends.first.at);
                put_varint(&mut out, ends.last.at.wrapping_sub(ends.first.at) as u64);
                for value in [self.sum, self.compensation, ends.min, ends.max, ends.first.value, ends.last.value] {
                    put_float(&mut out, value);
                }
                self.sketch.encode(&mut out);
            }
            None => put_varint(&mut out, 0),
        }
        out
    }

    /// Reads what [`Aggregate::encode`] wrote; never panics on other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let head = reader.byte()?;
        if head >> 4 != VERSION {
            return Err(ChunkError::UnknownVersion(head >> 4));
        }
        let (nan, infinite) = if head & ODD != 0 { (reader.varint()?, reader.varint()?) } else { (0, 0) };
        let mut aggregate = Self::default();
        if head & SINGLE != 0 {
            let (at, value) = (reader.signed()?, read_float(&mut reader)?);
            if !value.is_finite() {
                return Err(ChunkError::Corrupt("an aggregate's value is not finite"));
            }
            aggregate.add(at, value);
        } else {
            aggregate.count = reader.varint()?;
            if aggregate.count > 0 {
                let first_at = reader.signed()?;
                let last_at = first_at.wrapping_add(reader.varint()? as i64);
                let mut next = || read_float(&mut reader);
                aggregate.sum = next()?;
                aggregate.compensation = next()?;
                let (min, max) = (next()?, next()?);
                let first = Point { at: first_at, value: next()? };
                let last = Point { at: last_at, value: next()? };
                if [min, max, first.value, last.value].iter().any(|value| !value.is_finite()) || min > max {
                    return Err(ChunkError::Corrupt("an aggregate's bounds are impossible"));
                }
                aggregate.ends = Some(Ends { min, max, first, last });
                aggregate.sketch = Sketch::read(&mut reader)?;
                if aggregate.sketch.count() != aggregate.count {
                    return Err(ChunkError::Corrupt("a sketch and its aggregate count differently"));
                }
            }
        }
        reader.end()?;
        (aggregate.nan, aggregate.infinite) = (nan, infinite);
        Ok(aggregate)
    }
}

const VERSION: u8 = 1;
const ODD: u8 = 1;
const SINGLE: u8 = 2;

/// Short for zero and for small whole numbers, whose low bytes are zero.
fn put_float(out: &mut Vec<u8>, value: f64) {
    let bytes = value.to_bits().to_be_bytes();
    let length = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    out.push(length as u8);
    out.extend_from_slice(&bytes[..length]);
}

fn read_float(reader: &mut Reader<'_>) -> Result<f64> {
    let length = usize::from(reader.byte()?);
    if length > 8 {
        return Err(ChunkError::Corrupt("a float is too long"));
    }
    let mut bytes = [0; 8];
    bytes[..length].copy_from_slice(reader.take(length)?);
    Ok(f64::from_bits(u64::from_be_bytes(bytes)))
}
