//! One pass over a source's ripe marks.

use super::buckets::{self, Metrics};
use super::day;
use clarity_domain::ids::StreamId;
use clarity_domain::mapping::SampleType;
use clarity_domain::time::{HOUR, MINUTE, Micros, bucket_start};
use clarity_series::{ChunkError, Projection, Rows, merge};
use clarity_store::chunk::StoredChunk;
use clarity_store::head::Head;
use clarity_store::refine::Fence;
use clarity_store::rollup::{self, DAY_GRAIN, DirtyMark, Encoded, HOUR_GRAIN, MINUTE_GRAIN, RollupRow, TakenMark};
use clarity_store::{StoreError, WorkerStore, WorkspaceTx, asset, chunk, lease, metric, retention};
use jiff::tz::TimeZone;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Marks taken at one time: bounds what a pass holds in memory and how long it takes.
const MARKS: i64 = 500;

/// Rolls up a source's ripe marks, at most as many as one pass takes; gives how many.
///
/// # Errors
/// The store's; `Fenced` when the lease is gone.
pub async fn pass(store: &WorkerStore, head: &Head, fence: Option<Fence>, rest_ms: i64) -> anyhow::Result<usize> {
    let mut tx = store.begin(&head.scope).await?;
    let taken = rollup::take(&mut tx, head.source_id, rest_ms, MARKS).await?;
    if taken.is_empty() {
        return Ok(0);
    }
    tx.commit().await?;
    let mut tx = store.begin_read(&head.scope).await?;
    let metrics = metric::list_of_source(&mut tx, head.source_id).await?;
    let zones: HashMap<i32, TimeZone> =
        asset::list(&mut tx).await?.into_iter().map(|a| (a.number, day::zone(&a.time_zone))).collect();
    let mut jobs = Vec::new();
    for marks in taken.chunk_by(|a, b| a.stream_id == b.stream_id) {
        let stream = marks[0].stream_id;
        let is_number = |t| matches!(t, SampleType::Float | SampleType::Integer | SampleType::Boolean);
        let fields: Vec<u32> = metrics
            .iter()
            .filter(|m| m.stream_id == stream && !m.extra && is_number(m.sample_type))
            .map(|m| m.number as u32)
            .collect();
        // Of what retention took away, a bucket made now would hold only what came late: what stands stays as it is.
        let floors = retention::list_floors(&mut tx, stream).await?;
        let whole = |m: &TakenMark| floors.get(&m.mark.asset_number).is_none_or(|floor| m.mark.hour >= *floor);
        let made: Vec<TakenMark> = marks.iter().copied().filter(whole).collect();
        jobs.push((marks, read(&mut tx, stream, &made, fields, &zones).await?));
    }
    tx.commit().await?;
    for (marks, job) in jobs {
        let stream = job.stream;
        let written = tokio::task::spawn_blocking(move || job.compute()).await??;
        let mut tx = store.begin(&head.scope).await?;
        if let Some(fence) = fence {
            lease::check(&mut tx, fence).await?;
        }
        rollup::write(&mut tx, stream, &written.rows).await?;
        for (grain, empty) in written.empty {
            rollup::remove(&mut tx, stream, grain, &empty).await?;
        }
        rollup::finish(&mut tx, stream, marks).await?;
        tx.commit().await?;
    }
    Ok(taken.len())
}

/// All that is needed to compute the buckets of some marks of a stream, as it was at one moment.
struct Job {
    stream: StreamId,
    marks: Vec<TakenMark>,
    fields: Vec<u32>,
    /// Chunks by hour.
    chunks: Vec<(Micros, Vec<StoredChunk>)>,
    minutes: Vec<Encoded>,
    hours: Vec<Encoded>,
    /// Days to be computed: asset, start, end.
    days: BTreeSet<(i32, Micros, Micros)>,
}

async fn read(
    tx: &mut WorkspaceTx,
    stream: StreamId,
    marks: &[TakenMark],
    fields: Vec<u32>,
    zones: &HashMap<i32, TimeZone>,
) -> Result<Job, StoreError> {
    let mut chunks = Vec::new();
    for of_hour in marks.chunk_by(|a, b| a.mark.hour == b.mark.hour) {
        let hour = of_hour[0].mark.hour;
        let assets: Vec<i32> = of_hour.iter().map(|m| m.mark.asset_number).collect();
        let (from, to) = span(of_hour.iter().map(|m| m.mark));
        chunks.push((hour, chunk::list_chunks(tx, stream, &assets, from, to).await?));
    }
    let mut days = BTreeSet::new();
    let mut minute_spans: BTreeSet<(i32, Micros, Micros)> = BTreeSet::new();
    for TakenMark { mark, .. } in marks {
        minute_spans.insert((mark.asset_number, mark.hour, mark.hour + HOUR));
        let zone = zones.get(&mark.asset_number).cloned().unwrap_or(TimeZone::UTC);
        for moment in [mark.hour, mark.hour + HOUR - MINUTE] {
            let (from, to) = day::bounds(moment, &zone);
            days.insert((mark.asset_number, from, to));
        }
    }
    // A day that does not begin at a full hour of UTC takes minutes at its edges.
    let mut hour_spans = BTreeSet::new();
    for (asset, from, to) in &days {
        let (first, last) = full_hours(*from, *to);
        hour_spans.insert((*asset, first, last));
        for edge in [(*from, first), (last, *to)].into_iter().filter(|e| e.0 < e.1) {
            minute_spans.insert((*asset, edge.0, edge.1));
        }
    }
    let list = |spans: BTreeSet<(i32, Micros, Micros)>| spans.into_iter().collect::<Vec<_>>();
    Ok(Job {
        stream,
        marks: marks.to_vec(),
        fields,
        chunks,
        minutes: rollup::list_encoded(tx, stream, MINUTE_GRAIN, &list(minute_spans)).await?,
        hours: rollup::list_encoded(tx, stream, HOUR_GRAIN, &list(hour_spans)).await?,
        days,
    })
}

fn full_hours(from: Micros, to: Micros) -> (Micros, Micros) {
    let first = bucket_start(from + HOUR - 1, HOUR);
    (first, bucket_start(to, HOUR).max(first))
}

/// From the first dirty minute to the end of the last.
fn span(marks: impl Iterator<Item = DirtyMark>) -> (Micros, Micros) {
    let bounds = marks.filter(|m| m.minutes != 0).map(|m| {
        let last = 63 - i64::from(m.minutes.leading_zeros());
        (m.hour + i64::from(m.minutes.trailing_zeros()) * MINUTE, m.hour + (last + 1) * MINUTE)
    });
    bounds.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))).unwrap_or((0, 0))
}

#[derive(Default)]
struct Written {
    rows: Vec<RollupRow>,
    /// Buckets that have nothing in them any more, by grain.
    empty: Vec<(i32, Vec<(i32, Micros)>)>,
}

impl Job {
    fn compute(self) -> Result<Written, ChunkError> {
        let mut minutes = by_place(&self.minutes)?;
        let mut hours = by_place(&self.hours)?;
        let (mut touched, mut touched_hours) = (Vec::new(), BTreeSet::new());
        for (hour, chunks) in &self.chunks {
            let marks: Vec<DirtyMark> = self.marks.iter().map(|m| m.mark).filter(|m| m.hour == *hour).collect();
            let new = dirty_minutes(&marks, chunks, &self.fields)?;
            for mark in &marks {
                touched_hours.insert((mark.asset_number, mark.hour));
                for n in (0..60).filter(|n| mark.minutes >> n & 1 == 1) {
                    let place = (mark.asset_number, mark.hour + n * MINUTE);
                    match new.get(&place) {
                        Some(metrics) => minutes.insert(place, metrics.clone()),
                        None => minutes.remove(&place),
                    };
                    touched.push(place);
                }
            }
        }
        let mut written = Written::default();
        let mut write = |grain: i32, touched: &[(i32, Micros, Micros)], buckets: &BTreeMap<(i32, Micros), Metrics>| {
            let mut empty = Vec::new();
            for (asset, from, to) in touched {
                match buckets.get(&(*asset, *from)) {
                    Some(metrics) => written.rows.push(buckets::encode(*asset, grain, *from, *to, metrics)),
                    None => empty.push((*asset, *from)),
                }
            }
            written.empty.push((grain, empty));
        };
        let touched: Vec<_> = touched.into_iter().map(|(asset, from)| (asset, from, from + MINUTE)).collect();
        write(MINUTE_GRAIN, &touched, &minutes);

        let touched: Vec<_> = touched_hours.into_iter().map(|(asset, from)| (asset, from, from + HOUR)).collect();
        for (asset, from, to) in &touched {
            set(&mut hours, (*asset, *from), buckets::merged(within(&minutes, *asset, *from, *to)));
        }
        write(HOUR_GRAIN, &touched, &hours);

        let mut days = BTreeMap::new();
        for (asset, from, to) in &self.days {
            let (first, last) = full_hours(*from, *to);
            let before = within(&minutes, *asset, *from, first);
            let after = within(&minutes, *asset, last, *to);
            let parts = before.chain(within(&hours, *asset, first, last)).chain(after);
            set(&mut days, (*asset, *from), buckets::merged(parts));
        }
        write(DAY_GRAIN, &self.days.into_iter().collect::<Vec<_>>(), &days);
        Ok(written)
    }
}

fn set(buckets: &mut BTreeMap<(i32, Micros), Metrics>, place: (i32, Micros), metrics: Metrics) {
    if metrics.is_empty() {
        buckets.remove(&place);
    } else {
        buckets.insert(place, metrics);
    }
}

fn within(
    buckets: &BTreeMap<(i32, Micros), Metrics>,
    asset: i32,
    from: Micros,
    to: Micros,
) -> impl Iterator<Item = &Metrics> {
    let range = (from < to).then(|| buckets.range((asset, from)..(asset, to)));
    range.into_iter().flatten().map(|(_, metrics)| metrics)
}

fn by_place(rows: &[Encoded]) -> Result<BTreeMap<(i32, Micros), Metrics>, ChunkError> {
    rows.iter().map(|r| Ok(((r.asset_number, r.from), buckets::decode(r)?))).collect()
}

/// The dirty minutes of one hour, from chunks.
fn dirty_minutes(
    marks: &[DirtyMark],
    chunks: &[StoredChunk],
    fields: &[u32],
) -> Result<HashMap<(i32, Micros), Metrics>, ChunkError> {
    let (from, to) = span(marks.iter().copied());
    let wanted: HashSet<u32> = marks.iter().map(|m| m.asset_number as u32).collect();
    let few: Vec<u32> = wanted.iter().copied().collect();
    let mut of_asset: HashMap<u32, Vec<Rows>> = HashMap::new();
    for chunk in chunks {
        let mut projection = Projection::all().fields(fields).between(from, to);
        if few.len() <= 16 {
            projection = projection.assets(&few);
        }
        let rows = clarity_series::decode(&chunk.body, &projection)?;
        for (asset, part) in rows.split_by_asset() {
            if wanted.contains(&asset) {
                of_asset.entry(asset).or_default().push(part);
            }
        }
    }
    let mut out = HashMap::new();
    for mark in marks {
        let Some(parts) = of_asset.get(&(mark.asset_number as u32)) else { continue };
        let rows = merge(parts).0;
        let (from, to) = span(std::iter::once(*mark));
        for (start, metrics) in buckets::minutes(&rows, fields, from, to, MINUTE) {
            if mark.minutes >> ((start - mark.hour) / MINUTE) & 1 == 1 {
                out.insert((mark.asset_number, start), metrics);
            }
        }
    }
    Ok(out)
}
