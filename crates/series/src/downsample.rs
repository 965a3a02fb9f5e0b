//! Reducing a series to what a chart can draw.

use crate::column::FieldId;
use crate::rows::Rows;

/// A series as plain columns: times in microseconds, ascending, and finite values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Points {
    pub at: Vec<i64>,
    pub value: Vec<f64>,
}

impl Points {
    /// The finite numbers of a field, by time. Rows should be of one asset.
    pub fn of(rows: &Rows, field: FieldId) -> Self {
        let mut points: Vec<(i64, f64)> = rows
            .columns_of(field)
            .flat_map(|column| (0..rows.len()).filter_map(|row| column.number(row).map(|value| (rows.at[row], value))))
            .filter(|(_, value)| value.is_finite())
            .collect();
        points.sort_by_key(|point| point.0);
        Self { at: points.iter().map(|p| p.0).collect(), value: points.iter().map(|p| p.1).collect() }
    }

    pub fn len(&self) -> usize {
        self.at.len().min(self.value.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn pick(&self, kept: impl Iterator<Item = usize>) -> Self {
        let (at, value) = kept.map(|index| (self.at[index], self.value[index])).unzip();
        Self { at, value }
    }
}

/// M4 (Jugel et al., PVLDB 7(10), 2014): of each of `buckets` equal spans of `from <= at < to` the first, lowest,
/// highest and last point. At one bucket per pixel column a line looks as if all points were drawn, spikes included.
///
/// Gives at most four points per bucket, in order of time, and all points when they are no more than that.
pub fn m4(points: &Points, from: i64, to: i64, buckets: usize) -> Points {
    let inside: Vec<usize> = (0..points.len()).filter(|i| (from..to).contains(&points.at[*i])).collect();
    if inside.len() <= buckets.saturating_mul(4) {
        return points.pick(inside.into_iter());
    }
    if buckets == 0 {
        return Points::default();
    }
    let span = u128::from(to.wrapping_sub(from) as u64);
    let bucket = |i: usize| u128::from(points.at[i].wrapping_sub(from) as u64) * buckets as u128 / span;
    let mut kept = Vec::with_capacity(buckets * 4);
    for run in inside.chunk_by(|a, b| bucket(*a) == bucket(*b)) {
        let (mut low, mut high) = (run[0], run[0]);
        for &i in run {
            if points.value[i] < points.value[low] {
                low = i;
            }
            if points.value[i] > points.value[high] {
                high = i;
            }
        }
        let mut four = [run[0], low, high, run[run.len() - 1]];
        four.sort_unstable();
        kept.extend_from_slice(&four);
    }
    kept.dedup();
    points.pick(kept.into_iter())
}

/// Largest triangle three buckets (Steinarsson, 2013): `target` points that keep the visual shape. For small
/// charts; it may drop a spike beside a higher one, so alarms and bounds are drawn from [`m4`].
pub fn lttb(points: &Points, target: usize) -> Points {
    let count = points.len();
    if target >= count {
        return points.clone();
    }
    if target < 3 {
        return points.pick([0, count - 1].into_iter().take(target));
    }
    let time = |i: usize| points.at[i].wrapping_sub(points.at[0]) as f64;
    // The inner points fall into `target - 2` buckets of nearly equal number.
    let edge = |bucket: usize| 1 + (count - 2) * bucket / (target - 2);
    let mut kept = vec![0];
    let mut before = 0;
    for bucket in 0..target - 2 {
        let next = edge(bucket + 1)..if bucket + 2 > target - 2 { count } else { edge(bucket + 2) };
        let size = next.len() as f64;
        let mean_at = next.clone().map(time).sum::<f64>() / size;
        let mean_value = next.map(|i| points.value[i]).sum::<f64>() / size;
        let area = |i: usize| {
            let (dx, dy) = (time(before) - mean_at, points.value[i] - points.value[before]);
            (dx * dy - (time(before) - time(i)) * (mean_value - points.value[before])).abs()
        };
        let best = (edge(bucket)..edge(bucket + 1)).max_by(|a, b| area(*a).total_cmp(&area(*b)));
        if let Some(best) = best {
            kept.push(best);
            before = best;
        }
    }
    kept.push(count - 1);
    points.pick(kept.into_iter())
}
