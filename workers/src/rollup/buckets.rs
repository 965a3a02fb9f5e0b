//! Buckets of all metrics of an asset: from rows, from smaller buckets, and as they are stored.

use clarity_domain::time::Micros;
use clarity_series::{Aggregate, ChunkError, Rows, reduce};
use clarity_store::rollup::{Encoded, RollupRow};
use std::collections::BTreeMap;

/// Aggregates by metric number.
pub type Metrics = BTreeMap<i32, Aggregate>;

/// The minutes of one asset's merged rows within `[from, to)`.
pub fn minutes(rows: &Rows, fields: &[u32], from: Micros, to: Micros, step: i64) -> BTreeMap<Micros, Metrics> {
    let mut out: BTreeMap<Micros, Metrics> = BTreeMap::new();
    for field in fields {
        for bucket in reduce(rows, *field, from, to, step) {
            out.entry(bucket.start).or_default().insert(*field as i32, bucket.aggregate);
        }
    }
    out
}

/// Merges buckets that follow each other in time.
pub fn merged<'a>(parts: impl Iterator<Item = &'a Metrics>) -> Metrics {
    let mut out = Metrics::new();
    for part in parts {
        for (metric, aggregate) in part {
            out.entry(*metric).or_default().merge(aggregate);
        }
    }
    out
}

pub fn encode(asset_number: i32, grain: i32, from: Micros, to: Micros, metrics: &Metrics) -> RollupRow {
    let metrics: Vec<(&i32, &Aggregate)> = metrics.iter().filter(|(_, a)| !a.is_empty()).collect();
    let column = |pick: fn(&Aggregate) -> f64| metrics.iter().map(|(_, a)| pick(a)).collect();
    let mut aggregates = Vec::new();
    for (_, aggregate) in &metrics {
        let bytes = aggregate.encode();
        aggregates.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        aggregates.extend_from_slice(&bytes);
    }
    RollupRow {
        asset_number,
        grain,
        from,
        to,
        metric_numbers: metrics.iter().map(|(n, _)| **n).collect(),
        counts: metrics.iter().map(|(_, a)| a.count() as i64).collect(),
        sums: column(Aggregate::sum),
        minima: column(|a| a.min().unwrap_or(f64::NAN)),
        maxima: column(|a| a.max().unwrap_or(f64::NAN)),
        firsts: column(|a| a.first().map_or(f64::NAN, |p| p.value)),
        lasts: column(|a| a.last().map_or(f64::NAN, |p| p.value)),
        aggregates,
    }
}

/// Reads what [`encode`] wrote.
pub fn decode(row: &Encoded) -> Result<Metrics, ChunkError> {
    let mut rest = row.aggregates.as_slice();
    let mut out = Metrics::new();
    for metric in &row.metric_numbers {
        let damaged = ChunkError::Corrupt("a rollup is shorter than it says");
        let (length, after) = rest.split_first_chunk::<4>().ok_or(damaged.clone())?;
        let length = u32::from_le_bytes(*length) as usize;
        let bytes = after.get(..length).ok_or(damaged)?;
        out.insert(*metric, Aggregate::decode(bytes)?);
        rest = &after[length..];
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_come_back_as_they_went() {
        let mut metrics = Metrics::new();
        for metric in [3, 9] {
            let aggregate = metrics.entry(metric).or_default();
            for i in 0..50 {
                aggregate.add(i, f64::from(metric) * i as f64);
            }
        }
        metrics.insert(5, Aggregate::new());
        let row = encode(1, 60, 0, 60, &metrics);
        assert_eq!(row.metric_numbers, [3, 9], "an empty one is left out");
        let mut encoded = Encoded {
            asset_number: 1,
            from: 0,
            to: 60,
            metric_numbers: row.metric_numbers,
            aggregates: row.aggregates,
        };
        metrics.remove(&5);
        assert_eq!(decode(&encoded), Ok(metrics));
        encoded.aggregates.pop();
        assert!(decode(&encoded).is_err());
    }
}
