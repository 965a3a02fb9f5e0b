//! A mergeable quantile sketch: DDSketch (Masson, Rim and Lee, PVLDB 12(12), 2019) with sparse bins.
//!
//! Relative accuracy 1 %: a quantile is within 1 % of a value of that rank. Sparse, since most buckets hold few
//! distinct values: a bucket of one value costs two bytes, where a dense store takes a kilobyte in memory. At most
//! [`MAX_BINS`] bins per sign (more than 17 powers of ten); beyond, the values nearest zero share a bin. Bins are
//! counts, so merging is exact and independent of order.

use crate::codec::bytes::{Reader, put_signed, put_varint};
use crate::error::{ChunkError, Result};

/// Bins kept per sign.
pub const MAX_BINS: usize = 2_048;
/// The relative accuracy of quantiles.
pub const ACCURACY: f64 = 0.01;

const GAMMA: f64 = (1.0 + ACCURACY) / (1.0 - ACCURACY);
/// Magnitudes up to here count as zero.
const SMALLEST: f64 = 1e-9;

/// Counts of finite values by magnitude. NaN and infinities must be kept out by the caller.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sketch {
    zeros: u64,
    positive: Bins,
    negative: Bins,
}

/// Ascending by key.
#[derive(Debug, Clone, PartialEq, Default)]
struct Bins(Vec<(i32, u64)>);

impl Sketch {
    pub fn add(&mut self, value: f64) {
        if value > SMALLEST {
            self.positive.add(key(value), 1);
        } else if value < -SMALLEST {
            self.negative.add(key(-value), 1);
        } else {
            self.zeros += 1;
        }
    }

    pub fn merge(&mut self, other: &Self) {
        self.zeros = self.zeros.saturating_add(other.zeros);
        self.positive.merge(&other.positive);
        self.negative.merge(&other.negative);
    }

    pub fn count(&self) -> u64 {
        self.zeros.saturating_add(self.positive.count()).saturating_add(self.negative.count())
    }

    /// The value at rank `q * (count - 1)`, `q` within 0 to 1. `None` when empty or `q` is out of range.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let mut left = (q * (count - 1) as f64) as u64;
        // The most negative value is the last bin of the negative side.
        for (key, bin) in self.negative.0.iter().rev() {
            if left < *bin {
                return Some(-value(*key));
            }
            left -= bin;
        }
        if left < self.zeros {
            return Some(0.0);
        }
        left -= self.zeros;
        for (key, bin) in &self.positive.0 {
            if left < *bin {
                return Some(value(*key));
            }
            left -= bin;
        }
        self.positive.0.last().map(|(key, _)| value(*key))
    }

    /// Appends the sketch's bytes: a count, then step and count per bin.
    pub fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.zeros);
        self.positive.encode(out);
        self.negative.encode(out);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self> {
        Ok(Self { zeros: reader.varint()?, positive: Bins::read(reader)?, negative: Bins::read(reader)? })
    }

    /// Reads what [`Sketch::encode`] wrote; never panics on other bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader::new(bytes);
        let sketch = Self::read(&mut reader)?;
        reader.end()?;
        Ok(sketch)
    }
}

impl Bins {
    fn add(&mut self, key: i32, count: u64) {
        match self.0.binary_search_by_key(&key, |bin| bin.0) {
            Ok(at) => self.0[at].1 = self.0[at].1.saturating_add(count),
            Err(at) => {
                self.0.insert(at, (key, count));
                self.collapse();
            }
        }
    }

    fn merge(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
            return;
        }
        for (key, count) in &other.0 {
            self.add(*key, *count);
        }
    }

    /// Folds the lowest bins into the lowest that is kept: the result depends on the values, not on their order.
    fn collapse(&mut self) {
        while self.0.len() > MAX_BINS {
            let (_, folded) = self.0.remove(0);
            self.0[0].1 = self.0[0].1.saturating_add(folded);
        }
    }

    fn count(&self) -> u64 {
        self.0.iter().fold(0, |sum, bin| sum.saturating_add(bin.1))
    }

    fn encode(&self, out: &mut Vec<u8>) {
        put_varint(out, self.0.len() as u64);
        let mut before = 0i32;
        for (key, count) in &self.0 {
            put_signed(out, i64::from(*key) - i64::from(before));
            put_varint(out, *count);
            before = *key;
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        let count = reader.count(MAX_BINS.min(reader.rest().len() / 2))?;
        let mut bins: Vec<(i32, u64)> = Vec::with_capacity(count);
        for _ in 0..count {
            let before = bins.last().map_or(0, |bin| i64::from(bin.0));
            let key = before.checked_add(reader.signed()?).and_then(|key| i32::try_from(key).ok());
            let key = key.filter(|key| bins.last().is_none_or(|bin| *key > bin.0));
            bins.push((key.ok_or(ChunkError::Corrupt("a sketch's bins do not ascend"))?, reader.varint()?));
        }
        Ok(Self(bins))
    }
}

fn key(magnitude: f64) -> i32 {
    (magnitude.ln() / GAMMA.ln()).floor() as i32
}

/// The middle of a bin, in the sense that both its ends are equally far off in relative terms.
fn value(key: i32) -> f64 {
    (f64::from(key) * GAMMA.ln()).exp() * (2.0 * GAMMA / (1.0 + GAMMA))
}
