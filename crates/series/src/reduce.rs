//! From rows to buckets.

use crate::aggregate::{Aggregate, Point};
use crate::column::FieldId;
use crate::rows::{Rows, flags};

/// One bucket of a reduction: `[start, start + step)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Bucket {
    /// Microseconds.
    pub start: i64,
    pub aggregate: Aggregate,
}

/// Aggregates a field's numbers over `from <= at < to` in buckets of `step` microseconds that start at `from`.
///
/// All rows given take part, so pass one asset's rows for one series; each time, key and type of the field counts.
/// Buckets without a number (NaN counts as one) are left out. The rows may be in any order; in the order that
/// [`crate::merge`] gives, sums repeat to the bit. Text and time fields give no buckets, nor does a `step` below 1.
pub fn reduce(rows: &Rows, field: FieldId, from: i64, to: i64, step: i64) -> Vec<Bucket> {
    if step < 1 {
        return Vec::new();
    }
    // Rows mostly ascend, so the bucket of the row before is tried first.
    let mut buckets: Vec<(u64, Aggregate)> = Vec::new();
    let mut current = 0;
    for column in rows.columns_of(field) {
        for row in 0..rows.len() {
            let at = rows.at[row];
            if at < from || at >= to {
                continue;
            }
            let Some(value) = column.number(row) else { continue };
            // Exact: `at` is not below `from`, and their distance fits 64 bits unsigned.
            let number = at.wrapping_sub(from) as u64 / step as u64;
            if buckets.get(current).is_none_or(|bucket| bucket.0 != number) {
                current = buckets.binary_search_by_key(&number, |bucket| bucket.0).unwrap_or_else(|at| {
                    buckets.insert(at, (number, Aggregate::new()));
                    at
                });
            }
            buckets[current].1.add(at, value);
        }
    }
    let start = |number: u64| from.wrapping_add((number * step as u64) as i64);
    buckets.into_iter().map(|(number, aggregate)| Bucket { start: start(number), aggregate }).collect()
}

/// The latest number of a field, leaving out rows flagged as being in the future.
pub fn last_value(rows: &Rows, field: FieldId) -> Option<Point> {
    rows.columns_of(field)
        .flat_map(|column| {
            (0..rows.len())
                .filter(|row| rows.flags[*row] & flags::FUTURE == 0)
                .filter_map(|row| column.number(row).map(|value| Point { at: rows.at[row], value }))
        })
        .max_by(|a, b| a.at.cmp(&b.at).then(a.value.total_cmp(&b.value)))
}
