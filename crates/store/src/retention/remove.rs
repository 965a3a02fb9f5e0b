//! Removing what is older, a bounded batch at a time: at most so many rows and bytes a statement, so that whoever writes
//! meanwhile does not feel it.

use crate::at::timestamp;
use crate::rollup::{DAY_GRAIN, HOUR_GRAIN, MINUTE_GRAIN};
use crate::{Result, WorkspaceTx};
use clarity_domain::retention::DataClass;
use clarity_domain::time::Micros;

/// Rows of a statement; of samples and bronze these are chunks and segments.
pub const BATCH_ROWS: i64 = 5_000;
/// Bytes after which a statement takes no more.
const BATCH_BYTES: i64 = 64 << 20;

/// What a batch took away; nothing when there was no more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    pub rows: i64,
    pub bytes: i64,
}

macro_rules! removed {
    ($tx:expr, $sql:literal, $($bound:expr),*) => {{
        let row = sqlx::query!($sql, $($bound),*).fetch_one($tx.conn()).await?;
        Removed { rows: row.rows, bytes: row.bytes }
    }};
}

/// Removes the oldest rows of a class that lie before `cut`, at most `limit` of them. After [`super::enter`], which looks
/// for holds.
///
/// # Errors
/// `Refused` for entries of the audit log that the policy keeps; `Unavailable` when others hold the rows for long.
pub async fn remove_batch(tx: &mut WorkspaceTx, class: DataClass, cut: Micros, limit: i64) -> Result<Removed> {
    let (workspace, before) = (tx.workspace(), timestamp(cut));
    Ok(match class {
        DataClass::Bronze => bronze(tx, cut, limit).await?,
        DataClass::Samples => samples(tx, cut, limit).await?,
        DataClass::States => removed!(
            tx,
            r#"with picked as (
                 select asset_number, from_at, stream_id, source_key
                 from state_intervals
                 where workspace_id = $1 and to_at < $2
                 order by to_at
                 limit $3
               ), gone as (
                 delete from state_intervals s
                 using picked p
                 where s.workspace_id = $1 and s.asset_number = p.asset_number and s.from_at = p.from_at
                   and s.stream_id = p.stream_id and s.source_key = p.source_key
                 returning pg_column_size(s) as size
               )
               select count(*) as "rows!", coalesce(sum(size), 0)::bigint as "bytes!" from gone"#,
            workspace,
            before,
            limit
        ),
        DataClass::Minutes => rollups(tx, MINUTE_GRAIN, cut, limit).await?,
        DataClass::Hours => rollups(tx, HOUR_GRAIN, cut, limit).await?,
        DataClass::Days => rollups(tx, DAY_GRAIN, cut, limit).await?,
        DataClass::Records => removed!(
            tx,
            r#"with picked as (
                 select stream_id, key
                 from records
                 where workspace_id = $1 and image is null and changed_at < $2
                 order by stream_id, key
                 limit $3
                 for update
               ), gone as (
                 delete from records r
                 using picked p
                 where r.workspace_id = $1 and r.stream_id = p.stream_id and r.key = p.key
                 returning pg_column_size(r) as size
               )
               select count(*) as "rows!", coalesce(sum(size), 0)::bigint as "bytes!" from gone"#,
            workspace,
            before,
            limit
        ),
        // A replayed letter says with which mapping a rebuild reads its event: it stays as long as bronze has that.
        DataClass::DeadLetters => removed!(
            tx,
            r#"with picked as (
                 select d.source_id, d.epoch, d.seq
                 from dead_letters d
                 where d.workspace_id = $1 and d.created_at < $2
                   and (d.replayed_at is null or exists (
                     select from bronze_cuts c
                     where c.workspace_id = $1 and c.source_id = d.source_id and (c.epoch, c.next_seq) > (d.epoch, d.seq)
                   ))
                 order by d.source_id, d.epoch, d.seq
                 limit $3
                 for update of d
               ), sized as (
                 select p.*, sum(pg_column_size(d)) over (order by p.source_id, p.epoch, p.seq) - pg_column_size(d) as before
                 from picked p
                 join dead_letters d on d.workspace_id = $1 and d.source_id = p.source_id and d.epoch = p.epoch and d.seq = p.seq
               ), gone as (
                 delete from dead_letters d
                 using sized s
                 where d.workspace_id = $1 and d.source_id = s.source_id and d.epoch = s.epoch and d.seq = s.seq
                   and s.before < $4
                 returning pg_column_size(d) as size
               )
               select count(*) as "rows!", coalesce(sum(size), 0)::bigint as "bytes!" from gone"#,
            workspace,
            before,
            limit,
            BATCH_BYTES
        ),
        DataClass::Audit => removed!(
            tx,
            r#"select removed as "rows!", freed as "bytes!" from cut_audit($1, $2)"#,
            before,
            i32::try_from(limit).unwrap_or(i32::MAX)
        ),
    })
}

/// Segments that are refined and in which no open letter stands; refine and rebuild of their sources wait meanwhile.
/// Bodies of batches that could not be decoded go with them.
async fn bronze(tx: &mut WorkspaceTx, cut: Micros, limit: i64) -> Result<Removed> {
    let workspace = tx.workspace();
    let (before, at) = (timestamp(cut).date(), timestamp(cut));
    let bodies = removed!(
        tx,
        r#"with picked as (
             select id, octet_length(body) as size
             from gap_markers
             where workspace_id = $1 and created_at < $2 and body is not null
             order by id
             limit $3
           ), gone as (
             update gap_markers g
             set body = null
             from picked p
             where g.workspace_id = $1 and g.id = p.id
             returning p.size
           )
           select count(*) as "rows!", coalesce(sum(size), 0)::bigint as "bytes!" from gone"#,
        workspace,
        at,
        limit
    );
    // A statement of its own: the next one sees what was committed while this one waited.
    sqlx::query!(
        "select source_id from refine_cursors where workspace_id = $1 order by source_id for update",
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    let segments = removed!(
        tx,
        r#"with picked as (
             select b.source_id, b.epoch, b.first_seq, b.received_on, octet_length(b.body) as size
             from bronze_segments b
             join refine_cursors c on c.workspace_id = b.workspace_id and c.source_id = b.source_id
             where b.workspace_id = $1 and b.received_on < $2
               and (b.epoch, b.first_seq + b.event_count) <= (c.epoch, c.next_seq)
               and not exists (
                 select from dead_letters d
                 where d.workspace_id = $1 and d.source_id = b.source_id and d.epoch = b.epoch
                   and d.seq >= b.first_seq and d.seq < b.first_seq + b.event_count and d.replayed_at is null
               )
             order by b.received_on, b.source_id, b.epoch, b.first_seq
             limit $3
           ), sized as (
             select p.*, sum(size) over (order by received_on, source_id, epoch, first_seq) - size as before
             from picked p
           ), gone as (
             delete from bronze_segments b
             using sized s
             where b.workspace_id = $1 and b.received_on < $2 and b.source_id = s.source_id and b.epoch = s.epoch
               and b.first_seq = s.first_seq and b.received_on = s.received_on and s.before < $4
             returning b.source_id, b.epoch, b.first_seq + b.event_count as next_seq, s.size
           ), noted as (
             insert into bronze_cuts (workspace_id, source_id, epoch, next_seq)
             select distinct on (source_id) $1::uuid, source_id, epoch, next_seq
             from gone
             order by source_id, epoch desc, next_seq desc
             on conflict (workspace_id, source_id) do update
             set epoch = excluded.epoch, next_seq = excluded.next_seq
             where (bronze_cuts.epoch, bronze_cuts.next_seq) < (excluded.epoch, excluded.next_seq)
           )
           select count(*) as "rows!", coalesce(sum(size), 0)::bigint as "bytes!" from gone"#,
        workspace,
        before,
        limit,
        BATCH_BYTES
    );
    Ok(Removed { rows: bodies.rows + segments.rows, bytes: bodies.bytes + segments.bytes })
}

/// Sealed chunks that end before the cut; what is hot is sealed within the hour. A chunk stays while its asset has buckets to be
/// computed before the cut: they are computed of it.
async fn samples(tx: &mut WorkspaceTx, cut: Micros, limit: i64) -> Result<Removed> {
    let workspace = tx.workspace();
    Ok(removed!(
        tx,
        r#"with picked as (
             select c.id, octet_length(c.body) + octet_length(c.stats) as size
             from sample_chunks c
             where c.workspace_id = $1 and c.sealed and c.to_at < $2
               and not exists (
                 select from dirty_marks d
                 where d.workspace_id = $1 and d.stream_id = c.stream_id and d.asset_number = c.asset_number and d.hour < $2
               )
             order by c.id
             limit $3
           ), sized as (
             select id, size, sum(size) over (order by id) - size as before
             from picked
           ), gone as (
             delete from sample_chunks c
             using sized s
             where c.workspace_id = $1 and c.sealed and c.id = s.id and s.before < $4
             returning c.stream_id, c.asset_number, c.to_at, c.row_count, s.size
           ), noted as (
             insert into retention_floors (workspace_id, stream_id, asset_number, before_at)
             select $1::uuid, stream_id, asset_number, max(to_at) + interval '1 microsecond'
             from gone
             group by stream_id, asset_number
             on conflict (workspace_id, stream_id, asset_number) do update
             set before_at = greatest(retention_floors.before_at, excluded.before_at)
           )
           select coalesce(sum(row_count), 0)::bigint as "rows!", coalesce(sum(size), 0)::bigint as "bytes!" from gone"#,
        workspace,
        timestamp(cut),
        limit,
        BATCH_BYTES
    ))
}

/// Buckets that end at the cut or before. Of minutes and hours larger buckets are made: one that began a day earlier, in the
/// site's own time, must not be made again of what is left.
async fn rollups(tx: &mut WorkspaceTx, grain: i32, cut: Micros, limit: i64) -> Result<Removed> {
    let workspace = tx.workspace();
    Ok(removed!(
        tx,
        r#"with picked as (
             select l.stream_id, l.asset_number, r.from_at
             from latest_samples l
             cross join lateral (
               select from_at
               from rollups
               where workspace_id = $1 and stream_id = l.stream_id and asset_number = l.asset_number and grain = $2
                 and from_at < $3 and to_at <= $3
               order by from_at
               limit $4
             ) r
             where l.workspace_id = $1
             limit $4
           ), gone as (
             delete from rollups r
             using picked p
             where r.workspace_id = $1 and r.stream_id = p.stream_id and r.asset_number = p.asset_number and r.grain = $2
               and r.from_at = p.from_at
             returning r.stream_id, r.asset_number, r.to_at, pg_column_size(r) as size
           ), noted as (
             insert into retention_floors (workspace_id, stream_id, asset_number, before_at)
             select $1::uuid, stream_id, asset_number, max(to_at) + interval '1 day'
             from gone
             where $2 <> 86400
             group by stream_id, asset_number
             on conflict (workspace_id, stream_id, asset_number) do update
             set before_at = greatest(retention_floors.before_at, excluded.before_at)
           )
           select count(*) as "rows!", coalesce(sum(size), 0)::bigint as "bytes!" from gone"#,
        workspace,
        grain,
        timestamp(cut),
        limit
    ))
}
