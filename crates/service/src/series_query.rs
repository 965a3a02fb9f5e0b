//! A metric over time, as a chart draws it: closed buckets from rollups, what is not rolled up yet from the chunks, all
//! in one transaction that sees one moment.
//!
//! A minute is *dirty* while a mark says that samples came for it after its rollup; its bucket is then computed from the
//! chunks here. So what is drawn never lacks a sample that was committed, however far the rollup role is behind.

use clarity_domain::ids::StreamId;
use clarity_domain::time::{DAY, HOUR, MINUTE, Micros, SECOND, bucket_start};
use clarity_series::{Projection, Rows, decode, merge, reduce};
use clarity_store::rollup::{self, Bucket, DirtyMark, HOUR_GRAIN, MINUTE_GRAIN};
use clarity_store::{StoreError, WorkspaceTx, chunk};
use std::collections::{BTreeMap, HashMap};

/// What a chart asks for.
#[derive(Clone, Debug)]
pub struct SeriesQuery {
    pub stream: StreamId,
    pub metric_number: i32,
    /// Whether rollups exist for the metric (`!Metric::extra`); else all comes from the chunks.
    pub rolled_up: bool,
    pub assets: Vec<i32>,
    /// Half-open `[from, to)`.
    pub from: Micros,
    pub to: Micros,
    pub max_points: u32,
}

/// Count, sum, bounds and ends of the finite values of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BucketStats {
    pub count: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    pub first: f64,
    pub last: f64,
}

impl BucketStats {
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }

    /// Adds a later bucket.
    fn add(&mut self, later: &Self) {
        self.count += later.count;
        self.sum += later.sum;
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.last = later.last;
    }
}

/// All series share the grid: bucket `i` is `[from + i·step, from + (i+1)·step)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Start of the first bucket: the query's, rounded down to the step.
    pub from: Micros,
    pub step_us: i64,
    pub points: usize,
    /// By asset number, in the query's order. `None`: no value in that bucket.
    pub series: Vec<(i32, Vec<Option<BucketStats>>)>,
}

const STEPS: [i64; 24] = [
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    5 * DAY,
    10 * DAY,
    20 * DAY,
    50 * DAY,
    100 * DAY,
];

/// The smallest step that draws a span in at most so many points.
pub fn step_for(span: i64, max_points: u32) -> i64 {
    let least = span / i64::from(max_points.max(1));
    STEPS.into_iter().find(|step| *step >= least).unwrap_or(100 * DAY)
}

/// Reads the series. The transaction should be a `begin_read` one, so that all parts are of one moment.
///
/// # Errors
/// `Corrupt` when a chunk cannot be decoded.
pub async fn series(tx: &mut WorkspaceTx, query: &SeriesQuery) -> Result<Grid, StoreError> {
    let step = step_for(query.to - query.from, query.max_points);
    let from = bucket_start(query.from, step);
    let points = usize::try_from((query.to - from + step - 1) / step).unwrap_or(0);
    let mut builder = GridBuilder { from, step, parts: HashMap::new() };
    if query.rolled_up && step >= MINUTE {
        from_rollups(tx, query, from, step, &mut builder).await?;
    } else {
        let spans = [(None, from, query.to)];
        from_chunks(tx, query, &spans, step.min(MINUTE), &mut builder).await?;
    }
    Ok(builder.finish(&query.assets, points))
}

/// Values with their time, collected in any order.
struct GridBuilder {
    from: Micros,
    step: i64,
    parts: HashMap<(i32, usize), BTreeMap<Micros, BucketStats>>,
}

impl GridBuilder {
    fn add(&mut self, asset: i32, at: Micros, stats: BucketStats) {
        if at >= self.from {
            let bucket = ((at - self.from) / self.step) as usize;
            self.parts.entry((asset, bucket)).or_default().insert(at, stats);
        }
    }

    fn finish(self, assets: &[i32], points: usize) -> Grid {
        let mut series: Vec<(i32, Vec<Option<BucketStats>>)> =
            assets.iter().map(|asset| (*asset, vec![None; points])).collect();
        for ((asset, bucket), parts) in self.parts {
            let Some(slot) = series.iter_mut().find(|s| s.0 == asset).and_then(|s| s.1.get_mut(bucket)) else {
                continue;
            };
            for stats in parts.values() {
                match slot {
                    Some(sum) => sum.add(stats),
                    None => *slot = Some(*stats),
                }
            }
        }
        Grid { from: self.from, step_us: self.step, points, series }
    }
}

async fn from_rollups(
    tx: &mut WorkspaceTx,
    query: &SeriesQuery,
    from: Micros,
    step: i64,
    builder: &mut GridBuilder,
) -> Result<(), StoreError> {
    let (assets, number) = (&query.assets, query.metric_number);
    let dirty: HashMap<(i32, Micros), u64> = rollup::list_dirty(tx, query.stream, assets, from, query.to)
        .await?
        .into_iter()
        .map(|DirtyMark { asset_number, hour, minutes }| ((asset_number, hour), minutes))
        .collect();
    let by_hour = step % HOUR == 0;
    let grain = if by_hour { HOUR_GRAIN } else { MINUTE_GRAIN };
    let is_dirty = |b: &Bucket| {
        let hour = bucket_start(b.from, HOUR);
        let bits = dirty.get(&(b.asset_number, hour)).copied().unwrap_or(0);
        if by_hour && b.to - b.from == HOUR { bits != 0 } else { bits >> ((b.from - hour) / MINUTE) & 1 == 1 }
    };
    for b in rollup::list(tx, query.stream, assets, number, grain, from, query.to).await? {
        if !is_dirty(&b) {
            builder.add(b.asset_number, b.from, stats_of(&b));
        }
    }
    if dirty.is_empty() {
        return Ok(());
    }
    if by_hour {
        // Of an hour that is not closed, its clean minutes.
        let first = dirty.keys().map(|k| k.1).min().unwrap_or(from).max(from);
        let last = dirty.keys().map(|k| k.1 + HOUR).max().unwrap_or(query.to).min(query.to);
        for b in rollup::list(tx, query.stream, assets, number, MINUTE_GRAIN, first, last).await? {
            if dirty.contains_key(&(b.asset_number, bucket_start(b.from, HOUR))) && !is_dirty(&b) {
                builder.add(b.asset_number, b.from, stats_of(&b));
            }
        }
    }
    let mut spans: Vec<(Option<i32>, Micros, Micros)> = Vec::new();
    for ((asset, hour), bits) in &dirty {
        let mut minute = 0;
        while minute < 60 {
            let run = (bits >> minute).trailing_ones().min(60 - minute);
            if run > 0 {
                let start = (hour + i64::from(minute) * MINUTE).max(from);
                let end = (hour + i64::from(minute + run) * MINUTE).min(query.to);
                if start < end {
                    spans.push((Some(*asset), start, end));
                }
            }
            minute += run.max(1);
        }
    }
    from_chunks(tx, query, &spans, MINUTE, builder).await
}

fn stats_of(b: &Bucket) -> BucketStats {
    BucketStats { count: b.count as u64, sum: b.sum, min: b.min, max: b.max, first: b.first, last: b.last }
}

/// Computes buckets of `grain` over spans of one asset (`None`: of all).
async fn from_chunks(
    tx: &mut WorkspaceTx,
    query: &SeriesQuery,
    spans: &[(Option<i32>, Micros, Micros)],
    grain: i64,
    builder: &mut GridBuilder,
) -> Result<(), StoreError> {
    let (Some(from), Some(to)) = (spans.iter().map(|s| s.1).min(), spans.iter().map(|s| s.2).max()) else {
        return Ok(());
    };
    let mut wanted: Vec<i32> = spans.iter().filter_map(|s| s.0).collect();
    if spans.iter().any(|s| s.0.is_none()) {
        wanted.clone_from(&query.assets);
    }
    wanted.sort_unstable();
    wanted.dedup();
    let chunks = chunk::list_chunks(tx, query.stream, &wanted, from, to).await?;
    let (field, spans) = (query.metric_number as u32, spans.to_vec());
    let reduced = tokio::task::spawn_blocking(move || {
        let assets: Vec<u32> = wanted.iter().map(|n| *n as u32).collect();
        let mut of_asset: HashMap<u32, Vec<Rows>> = HashMap::new();
        for chunk in chunks {
            let fields = [field];
            let projection = Projection::all().fields(&fields).assets(&assets).between(from, to);
            let rows = decode(&chunk.body, &projection).map_err(|_| StoreError::Corrupt("sample chunk"))?;
            for (asset, part) in rows.split_by_asset() {
                of_asset.entry(asset).or_default().push(part);
            }
        }
        let mut out = Vec::new();
        for (asset, parts) in of_asset {
            let (rows, _) = merge(&parts);
            for (_, start, end) in spans.iter().filter(|s| s.0.is_none_or(|number| number as u32 == asset)) {
                out.extend(reduce(&rows, field, *start, *end, grain).into_iter().map(|b| (asset as i32, b)));
            }
        }
        Ok::<_, StoreError>(out)
    });
    for (asset, bucket) in reduced.await.map_err(|_| StoreError::Corrupt("sample chunk"))?? {
        let a = &bucket.aggregate;
        let (Some(min), Some(max), Some(first), Some(last)) = (a.min(), a.max(), a.first(), a.last()) else {
            continue;
        };
        let stats = BucketStats { count: a.count(), sum: a.sum(), min, max, first: first.value, last: last.value };
        builder.add(asset, bucket.start, stats);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_fits_the_points() {
        for (span, points, step) in [
            (15 * MINUTE, 300, 5 * SECOND),
            (HOUR, 300, 15 * SECOND),
            (HOUR, 60, MINUTE),
            (7 * DAY, 300, HOUR),
            (400 * DAY, 300, 2 * DAY),
        ] {
            assert_eq!(step_for(span, points), step);
        }
    }

    #[test]
    fn parts_of_a_bucket_add_up_in_order_of_time() {
        let part = |v: f64| BucketStats { count: 1, sum: v, min: v, max: v, first: v, last: v };
        let mut builder = GridBuilder { from: 0, step: 2 * MINUTE, parts: HashMap::new() };
        builder.add(7, MINUTE, part(3.0));
        builder.add(7, 0, part(1.0));
        let grid = builder.finish(&[7, 8], 2);
        let sum = BucketStats { count: 2, sum: 4.0, min: 1.0, max: 3.0, first: 1.0, last: 3.0 };
        assert_eq!(grid.series, [(7, vec![Some(sum), None]), (8, vec![None, None])]);
    }
}
