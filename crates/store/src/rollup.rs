//! Rollups and the marks that say which of them are not up to date.

use crate::Result;
use crate::at::{micros, timestamp};
use crate::tx::WorkspaceTx;
use clarity_domain::ids::{SourceId, StreamId};
use clarity_domain::time::{HOUR, Micros};

pub const MINUTE_GRAIN: i32 = 60;
pub const HOUR_GRAIN: i32 = 3600;
pub const DAY_GRAIN: i32 = 86_400;

/// One metric of one asset in one bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    pub asset_number: i32,
    pub from: Micros,
    pub to: Micros,
    /// Finite values.
    pub count: i64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    pub first: f64,
    pub last: f64,
}

/// The buckets of one metric that start in `[from, to)`, by asset and time. Buckets without a finite value are left out.
pub async fn list(
    tx: &mut WorkspaceTx,
    stream: StreamId,
    assets: &[i32],
    metric_number: i32,
    grain: i32,
    from: Micros,
    to: Micros,
) -> Result<Vec<Bucket>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select r.asset_number, r.from_at, r.to_at, r.counts[p.i] as "count!", r.sums[p.i] as "sum!",
                  r.minima[p.i] as "min!", r.maxima[p.i] as "max!", r.firsts[p.i] as "first!", r.lasts[p.i] as "last!"
           from rollups r, lateral (select array_position(r.metric_numbers, $4)) as p (i)
           where r.workspace_id = $1 and r.stream_id = $2 and r.asset_number = any($3) and r.grain = $5
             and r.from_at >= $6 and r.from_at < $7
             and p.i is not null and r.counts[p.i] > 0
           order by r.asset_number, r.from_at"#,
        workspace,
        stream.0,
        assets,
        metric_number,
        grain,
        timestamp(from),
        timestamp(to)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Bucket {
            asset_number: r.asset_number,
            from: micros(r.from_at),
            to: micros(r.to_at),
            count: r.count,
            sum: r.sum,
            min: r.min,
            max: r.max,
            first: r.first,
            last: r.last,
        })
        .collect())
}

/// A bucket as written: all metrics of one asset. `aggregates` are encoded by `crates/series`, each after its length.
#[derive(Clone, Debug, PartialEq)]
pub struct RollupRow {
    pub asset_number: i32,
    pub grain: i32,
    pub from: Micros,
    pub to: Micros,
    pub metric_numbers: Vec<i32>,
    pub counts: Vec<i64>,
    pub sums: Vec<f64>,
    pub minima: Vec<f64>,
    pub maxima: Vec<f64>,
    pub firsts: Vec<f64>,
    pub lasts: Vec<f64>,
    pub aggregates: Vec<u8>,
}

/// Writes buckets of a stream, replacing what they were.
pub async fn write(tx: &mut WorkspaceTx, stream: StreamId, rows: &[RollupRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let workspace = tx.workspace();
    let assets: Vec<i32> = rows.iter().map(|r| r.asset_number).collect();
    let grains: Vec<i32> = rows.iter().map(|r| r.grain).collect();
    let from: Vec<_> = rows.iter().map(|r| timestamp(r.from)).collect();
    let to: Vec<_> = rows.iter().map(|r| timestamp(r.to)).collect();
    let aggregates: Vec<&[u8]> = rows.iter().map(|r| r.aggregates.as_slice()).collect();
    // All rows' arrays one after another; each row takes its slice, which costs no search in arrays without nulls.
    let (mut first, mut last, mut end) = (Vec::new(), Vec::new(), 0);
    for row in rows {
        first.push(end + 1);
        end += row.metric_numbers.len() as i32;
        last.push(end);
    }
    let join = |pick: fn(&RollupRow) -> &[f64]| rows.iter().flat_map(|r| pick(r).iter().copied()).collect::<Vec<f64>>();
    let metrics: Vec<i32> = rows.iter().flat_map(|r| r.metric_numbers.iter().copied()).collect();
    let counts: Vec<i64> = rows.iter().flat_map(|r| r.counts.iter().copied()).collect();
    sqlx::query!(
        "insert into rollups
           (workspace_id, stream_id, asset_number, grain, from_at, to_at, metric_numbers, counts, sums, minima, maxima,
            firsts, lasts, aggregates)
         select $1, $2, r.asset_number, r.grain, r.from_at, r.to_at, ($10::int[])[r.first:r.last],
                ($11::bigint[])[r.first:r.last], ($12::float8[])[r.first:r.last], ($13::float8[])[r.first:r.last],
                ($14::float8[])[r.first:r.last], ($15::float8[])[r.first:r.last], ($16::float8[])[r.first:r.last],
                r.aggregates
         from unnest($3::int[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::int[], $8::int[], $9::bytea[])
              as r (asset_number, grain, from_at, to_at, first, last, aggregates)
         on conflict (workspace_id, stream_id, asset_number, grain, from_at) do update
         set to_at = excluded.to_at, metric_numbers = excluded.metric_numbers, counts = excluded.counts,
             sums = excluded.sums, minima = excluded.minima, maxima = excluded.maxima, firsts = excluded.firsts,
             lasts = excluded.lasts, aggregates = excluded.aggregates",
        workspace,
        stream.0,
        &assets,
        &grains,
        &from,
        &to,
        &first,
        &last,
        &aggregates as &[&[u8]],
        &metrics,
        &counts,
        &join(|r| &r.sums),
        &join(|r| &r.minima),
        &join(|r| &r.maxima),
        &join(|r| &r.firsts),
        &join(|r| &r.lasts)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Removes buckets that became empty.
pub async fn remove(tx: &mut WorkspaceTx, stream: StreamId, grain: i32, buckets: &[(i32, Micros)]) -> Result<()> {
    if buckets.is_empty() {
        return Ok(());
    }
    let workspace = tx.workspace();
    let assets: Vec<i32> = buckets.iter().map(|b| b.0).collect();
    let from: Vec<_> = buckets.iter().map(|b| timestamp(b.1)).collect();
    sqlx::query!(
        "delete from rollups r
         using unnest($4::int[], $5::timestamptz[]) as b (asset_number, from_at)
         where r.workspace_id = $1 and r.stream_id = $2 and r.grain = $3
           and r.asset_number = b.asset_number and r.from_at = b.from_at",
        workspace,
        stream.0,
        grain,
        &assets,
        &from
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A bucket's encoded aggregates, for merging into larger ones.
#[derive(Clone, Debug)]
pub struct Encoded {
    pub asset_number: i32,
    pub from: Micros,
    pub to: Micros,
    pub metric_numbers: Vec<i32>,
    pub aggregates: Vec<u8>,
}

/// The encoded buckets of these assets that start in their `[from, to)`, by asset and time.
pub async fn list_encoded(
    tx: &mut WorkspaceTx,
    stream: StreamId,
    grain: i32,
    spans: &[(i32, Micros, Micros)],
) -> Result<Vec<Encoded>> {
    let workspace = tx.workspace();
    let assets: Vec<i32> = spans.iter().map(|s| s.0).collect();
    let from: Vec<_> = spans.iter().map(|s| timestamp(s.1)).collect();
    let to: Vec<_> = spans.iter().map(|s| timestamp(s.2)).collect();
    let rows = sqlx::query!(
        "select r.asset_number, r.from_at, r.to_at, r.metric_numbers, r.aggregates
         from unnest($4::int[], $5::timestamptz[], $6::timestamptz[]) as s (asset_number, from_at, to_at)
         join rollups r on r.workspace_id = $1 and r.stream_id = $2 and r.grain = $3
                       and r.asset_number = s.asset_number and r.from_at >= s.from_at and r.from_at < s.to_at
         order by r.asset_number, r.from_at",
        workspace,
        stream.0,
        grain,
        &assets,
        &from,
        &to
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Encoded {
            asset_number: r.asset_number,
            from: micros(r.from_at),
            to: micros(r.to_at),
            metric_numbers: r.metric_numbers,
            aggregates: r.aggregates,
        })
        .collect())
}

/// Minutes of an hour whose buckets must be computed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirtyMark {
    pub asset_number: i32,
    /// Start of the hour.
    pub hour: Micros,
    /// Bit n: minute n.
    pub minutes: u64,
}

/// Adds marks, in the one order that all transactions keep.
pub async fn mark(tx: &mut WorkspaceTx, stream: StreamId, marks: &mut [DirtyMark]) -> Result<()> {
    if marks.is_empty() {
        return Ok(());
    }
    let workspace = tx.workspace();
    marks.sort_unstable_by_key(|m| (m.asset_number, m.hour));
    let assets: Vec<i32> = marks.iter().map(|m| m.asset_number).collect();
    let hours: Vec<_> = marks.iter().map(|m| timestamp(m.hour)).collect();
    let minutes: Vec<i64> = marks.iter().map(|m| m.minutes as i64).collect();
    sqlx::query!(
        "insert into dirty_marks (workspace_id, stream_id, asset_number, hour, minutes, changed_at)
         select $1, $2, m.asset_number, m.hour, m.minutes, clock_timestamp()
         from unnest($3::int[], $4::timestamptz[], $5::bigint[]) with ordinality
              as m (asset_number, hour, minutes, ordinal)
         order by m.ordinal
         on conflict (workspace_id, stream_id, asset_number, hour) do update
         set minutes = dirty_marks.minutes | excluded.minutes, changed_at = clock_timestamp()",
        workspace,
        stream.0,
        &assets,
        &hours,
        &minutes
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The marks of these assets whose hour overlaps `[from, to)`.
pub async fn list_dirty(
    tx: &mut WorkspaceTx,
    stream: StreamId,
    assets: &[i32],
    from: Micros,
    to: Micros,
) -> Result<Vec<DirtyMark>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select asset_number, hour, minutes | taking as "minutes!"
         from dirty_marks
         where workspace_id = $1 and stream_id = $2 and asset_number = any($3) and hour > $4 and hour < $5
         order by asset_number, hour"#,
        workspace,
        stream.0,
        assets,
        timestamp(from.saturating_sub(HOUR)),
        timestamp(to)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| DirtyMark { asset_number: r.asset_number, hour: micros(r.hour), minutes: r.minutes as u64 })
        .collect())
}

/// A mark, or minutes of it, that the rollup role computes now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TakenMark {
    pub stream_id: StreamId,
    pub mark: DirtyMark,
}

/// Moves ripe minutes of a source's marks to `taking` and gives them, together with what an earlier round left there; at
/// most `limit` marks. All minutes of a mark are ripe once it rested for `rest_ms`; before, all but the last, into which
/// samples still flow. Marks that somebody is adding to are left for the next round.
///
/// Commit before reading samples: what is committed later marks its minute anew.
pub async fn take(tx: &mut WorkspaceTx, source: SourceId, rest_ms: i64, limit: i64) -> Result<Vec<TakenMark>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select d.stream_id, d.asset_number, d.hour, d.minutes, d.taking,
                  d.changed_at <= clock_timestamp() - $3::bigint * interval '1 ms' as "rested!"
           from dirty_marks d
           join streams s on s.workspace_id = d.workspace_id and s.id = d.stream_id
           where d.workspace_id = $1 and s.source_id = $2
             and (d.taking <> 0 or d.minutes & (d.minutes - 1) <> 0
                  or d.changed_at <= clock_timestamp() - $3::bigint * interval '1 ms')
           order by d.stream_id, d.hour, d.asset_number
           limit $4
           for update of d skip locked"#,
        workspace,
        source.0,
        rest_ms,
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    let (mut streams, mut assets, mut hours, mut bits) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut taken = Vec::with_capacity(rows.len());
    for r in rows {
        let minutes = r.minutes as u64;
        let last = if minutes == 0 { 0 } else { 1 << (63 - minutes.leading_zeros()) };
        let ripe = if r.rested { minutes } else { minutes & !last };
        streams.push(r.stream_id);
        assets.push(r.asset_number);
        hours.push(r.hour);
        bits.push(ripe as i64);
        let mark = DirtyMark { asset_number: r.asset_number, hour: micros(r.hour), minutes: ripe | r.taking as u64 };
        taken.push(TakenMark { stream_id: StreamId(r.stream_id), mark });
    }
    if taken.is_empty() {
        return Ok(taken);
    }
    sqlx::query!(
        "update dirty_marks d
         set taking = d.taking | t.bits, minutes = d.minutes & ~t.bits
         from unnest($2::uuid[], $3::int[], $4::timestamptz[], $5::bigint[]) as t (stream_id, asset_number, hour, bits)
         where d.workspace_id = $1 and d.stream_id = t.stream_id and d.asset_number = t.asset_number and d.hour = t.hour",
        workspace,
        &streams,
        &assets,
        &hours,
        &bits
    )
    .execute(tx.conn())
    .await?;
    Ok(taken)
}

/// Takes minutes of a stream away whose buckets are written. The last statement of its transaction: refine waits for
/// these rows.
pub async fn finish(tx: &mut WorkspaceTx, stream: StreamId, marks: &[TakenMark]) -> Result<()> {
    let workspace = tx.workspace();
    let mut marks: Vec<DirtyMark> = marks.iter().map(|m| m.mark).collect();
    marks.sort_unstable_by_key(|m| (m.asset_number, m.hour));
    let assets: Vec<i32> = marks.iter().map(|m| m.asset_number).collect();
    let hours: Vec<_> = marks.iter().map(|m| timestamp(m.hour)).collect();
    let bits: Vec<i64> = marks.iter().map(|m| m.minutes as i64).collect();
    // Locked in the one order that refine keeps too.
    sqlx::query!(
        "select d.asset_number
         from unnest($3::int[], $4::timestamptz[]) as t (asset_number, hour)
         join dirty_marks d on d.workspace_id = $1 and d.stream_id = $2 and d.asset_number = t.asset_number
                           and d.hour = t.hour
         order by d.asset_number, d.hour
         for update of d",
        workspace,
        stream.0,
        &assets,
        &hours
    )
    .fetch_all(tx.conn())
    .await?;
    sqlx::query!(
        "with done as (
           update dirty_marks d
           set taking = d.taking & ~t.bits
           from unnest($3::int[], $4::timestamptz[], $5::bigint[]) as t (asset_number, hour, bits)
           where d.workspace_id = $1 and d.stream_id = $2 and d.asset_number = t.asset_number and d.hour = t.hour
             and (d.minutes <> 0 or d.taking & ~t.bits <> 0)
         )
         delete from dirty_marks d
         using unnest($3::int[], $4::timestamptz[], $5::bigint[]) as t (asset_number, hour, bits)
         where d.workspace_id = $1 and d.stream_id = $2 and d.asset_number = t.asset_number and d.hour = t.hour
           and d.minutes = 0 and d.taking & ~t.bits = 0",
        workspace,
        stream.0,
        &assets,
        &hours,
        &bits
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
