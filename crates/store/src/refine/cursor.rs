//! How far refine is with a source.

use crate::Result;
use crate::at::timestamp;
use crate::error::StoreError;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::SourceId;
use clarity_domain::time::Micros;

/// A place in a source's log: the next sequence of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    pub epoch: i32,
    pub seq: i64,
}

/// The lease that a write stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fence {
    pub role: &'static str,
    pub partition: i32,
    pub token: i64,
}

/// Where refine is; the beginning when it never was.
pub async fn find(tx: &mut WorkspaceTx, source: SourceId) -> Result<Place> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "select epoch, next_seq from refine_cursors where workspace_id = $1 and source_id = $2",
        workspace,
        source.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map_or(Place { epoch: 1, seq: 1 }, |r| Place { epoch: r.epoch, seq: r.next_seq }))
}

/// Makes the cursor of a source that has none.
pub async fn open(tx: &mut WorkspaceTx, source: SourceId) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "insert into refine_cursors (workspace_id, source_id) values ($1, $2) on conflict do nothing",
        workspace,
        source.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a locked cursor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked {
    pub place: Place,
    /// How many mappings the source's streams have: another number than the one that events were read with means that
    /// they were read wrongly.
    pub mappings: i64,
}

/// Locks the cursor until the transaction ends. The first statement of a refine transaction.
///
/// # Errors
/// `Fenced` when the lease is not the holder's any more. `NotFound` without a cursor.
pub async fn lock(tx: &mut WorkspaceTx, source: SourceId, fence: Option<Fence>) -> Result<Locked> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "select epoch, next_seq from refine_cursors where workspace_id = $1 and source_id = $2 for update",
        workspace,
        source.0
    )
    .fetch_one(tx.conn())
    .await?;
    // A statement of its own: it sees what was committed while this one waited for the lock.
    let (role, partition, token) = fence.map_or(("", -1, 0), |f| (f.role, f.partition, f.token));
    let state = sqlx::query!(
        r#"select (select count(*) from mappings m
                   join streams s on s.workspace_id = m.workspace_id and s.id = m.stream_id
                   where m.workspace_id = $1 and s.source_id = $2) as "mappings!",
                  exists (select from ops.partition_leases
                          where role = $3 and partition = $4 and token = $5 and expires_at > now()) as "held!""#,
        workspace,
        source.0,
        role,
        partition,
        token
    )
    .fetch_one(tx.conn())
    .await?;
    if fence.is_some() && !state.held {
        return Err(StoreError::Fenced);
    }
    Ok(Locked { place: Place { epoch: row.epoch, seq: row.next_seq }, mappings: state.mappings })
}

/// What a group of segments moves.
#[derive(Clone, Debug, Default)]
pub struct Advance {
    pub to: Option<Place>,
    pub events: i64,
    /// Newest time at the source of anything, heartbeats included; and of changes alone.
    pub path_source_at: Option<Micros>,
    pub change_source_at: Option<Micros>,
}

/// Moves a locked cursor and tells the live pages.
pub async fn advance(tx: &mut WorkspaceTx, source: SourceId, a: &Advance) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "update refine_cursors
         set epoch = coalesce($3, epoch), next_seq = coalesce($4, next_seq), events = events + $5, refined_at = now(),
             path_source_at = greatest(path_source_at, $6), change_source_at = greatest(change_source_at, $7)
         where workspace_id = $1 and source_id = $2",
        workspace,
        source.0,
        a.to.map(|p| p.epoch),
        a.to.map(|p| p.seq),
        a.events,
        a.path_source_at.map(timestamp),
        a.change_source_at.map(timestamp)
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!("select pg_notify('clarity_live', $1)::text", workspace.to_string()).fetch_one(tx.conn()).await?;
    Ok(())
}

/// Events of one minute of receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinuteCount {
    pub minute: Micros,
    pub events: i64,
    pub bytes: i64,
    pub slowest_ms: i32,
}

/// Adds to a source's throughput; ascending by minute.
pub async fn count_minutes(tx: &mut WorkspaceTx, source: SourceId, minutes: &[MinuteCount]) -> Result<()> {
    let workspace = tx.workspace();
    let starts: Vec<_> = minutes.iter().map(|m| timestamp(m.minute)).collect();
    let events: Vec<i64> = minutes.iter().map(|m| m.events).collect();
    let bytes: Vec<i64> = minutes.iter().map(|m| m.bytes).collect();
    let slowest: Vec<i32> = minutes.iter().map(|m| m.slowest_ms).collect();
    sqlx::query!(
        "insert into source_minutes (workspace_id, source_id, minute, events, bytes, slowest_ms)
         select $1, $2, m.minute, m.events, m.bytes, m.slowest_ms
         from unnest($3::timestamptz[], $4::bigint[], $5::bigint[], $6::int[]) as m (minute, events, bytes, slowest_ms)
         on conflict (workspace_id, source_id, minute) do update
         set events = source_minutes.events + excluded.events, bytes = source_minutes.bytes + excluded.bytes,
             slowest_ms = greatest(source_minutes.slowest_ms, excluded.slowest_ms)",
        workspace,
        source.0,
        &starts,
        &events,
        &bytes,
        &slowest
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
