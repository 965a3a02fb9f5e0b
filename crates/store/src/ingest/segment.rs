//! Segments: batches as received, stored in the statement that moves the cursor.

use crate::error::StoreError;
use crate::pool::IngestStore;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::SourceId;
use serde_json::Value;
use time::OffsetDateTime;

/// A checked batch on its way into bronze.
#[derive(Debug)]
pub struct Segment<'a> {
    pub source_id: SourceId,
    pub epoch: u32,
    pub first_seq: u64,
    pub event_count: u32,
    pub previous_hash: &'a [u8; 32],
    pub hash: &'a [u8; 32],
    pub position: &'a Value,
    pub raw_bytes: u32,
    pub last_commit_us: Option<i64>,
    pub body: &'a [u8],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Appended {
    /// In the source's partition, whose workers are to be told after the commit: see [`tell`].
    Stored { partition: i32 },
    /// The cursor stands elsewhere; nothing was written. Lock it to see where.
    Elsewhere,
}

/// Stores the segment, moves the cursor and the head, if the segment is exactly what the cursor expects. Durable when the
/// transaction has committed.
///
/// The first segment of a day notes what the cursor had counted before it: that is how use is metered (`crate::usage`), and
/// all other segments only look whether it was noted. Whoever waited for the cursor's row and finds it moved does nothing at
/// all, so none is noted twice.
pub async fn append(tx: &mut WorkspaceTx, s: &Segment<'_>) -> Result<Appended, StoreError> {
    let workspace = tx.workspace();
    let last_commit_at =
        s.last_commit_us.and_then(|us| OffsetDateTime::from_unix_timestamp_nanos(i128::from(us) * 1000).ok());
    let stored = sqlx::query_scalar!(
        r#"with moved as (
             update source_cursors
             set next_seq = $4::bigint + $5::int, last_hash = $7, position = $8, changed_at = now(),
                 durable_events = durable_events + $5::int, durable_bytes = durable_bytes + length($11::bytea),
                 last_commit_at = coalesce($10, last_commit_at)
             where workspace_id = $1 and source_id = $2 and epoch = $3 and next_seq = $4 and last_hash = $6
             returning source_id, durable_events, durable_bytes
           ), stored as (
             insert into bronze_segments
               (workspace_id, source_id, epoch, first_seq, event_count, raw_bytes, last_commit_at, hash, body)
             select $1, source_id, $3, $4, $5, $9, $10, $7, $11 from moved
           ), opened as (
             insert into usage_openings (workspace_id, source_id, day, events_before, bytes_before)
             select $1, source_id, (now() at time zone 'utc')::date, durable_events - $5::int,
                    durable_bytes - length($11::bytea)
             from moved
             where not exists (
               select from usage_openings o
               where o.workspace_id = $1 and o.source_id = $2 and o.day >= (now() at time zone 'utc')::date
             )
           ), head as (
             update ops.source_heads h
             set epoch = $3, next_seq = $4::bigint + $5::int, changed_at = now()
             from moved
             where h.source_id = moved.source_id
             returning h.partition
           )
           select partition from head"#,
        workspace,
        s.source_id.0,
        s.epoch as i32,
        s.first_seq as i64,
        s.event_count as i32,
        &s.previous_hash[..],
        &s.hash[..],
        s.position,
        s.raw_bytes as i32,
        last_commit_at,
        s.body
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(stored.map_or(Appended::Elsewhere, |partition| Appended::Stored { partition }))
}

/// Tells the workers of these partitions that something is new; they look by themselves too, a second later.
///
/// Not within the transaction that stores: one that notifies holds a lock of the whole Postgres from before its commit
/// until after its sync, so commits of different agents would be synced one after the other.
///
/// # Errors
/// When the database cannot be reached.
pub async fn tell(store: &IngestStore, partitions: &[i32]) -> Result<(), StoreError> {
    sqlx::query!("select pg_notify('clarity_heads', p::text)::text from unnest($1::int[]) p", partitions)
        .fetch_all(&store.pool)
        .await?;
    Ok(())
}
