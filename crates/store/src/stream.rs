//! Streams: the tables, topics and subjects of a source.

use crate::Result;
use crate::at::timestamp;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::{SourceId, StreamId};
use clarity_domain::time::Micros;
use serde_json::Value;
use uuid::Uuid;

/// A stream as last seen.
#[derive(Clone, Debug)]
pub struct Stream {
    pub id: StreamId,
    pub name: String,
    pub schema: Value,
    /// Transaction of the last truncate; 0: none.
    pub truncated_xid: i64,
}

/// A source's streams, by name.
pub async fn list(tx: &mut WorkspaceTx, source: SourceId) -> Result<Vec<Stream>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select id, name, schema, truncated_xid
         from streams
         where workspace_id = $1 and source_id = $2
         order by name",
        workspace,
        source.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Stream { id: StreamId(r.id), name: r.name, schema: r.schema, truncated_xid: r.truncated_xid })
        .collect())
}

/// Finds or makes a stream; its schema is from now on this one.
pub async fn register(tx: &mut WorkspaceTx, source: SourceId, name: &str, schema: &Value) -> Result<StreamId> {
    let workspace = tx.workspace();
    let id = sqlx::query_scalar!(
        "insert into streams (workspace_id, id, source_id, name, schema)
         values ($1, $2, $3, $4, $5)
         on conflict (workspace_id, source_id, name) do update
         set schema = excluded.schema,
             changed_at = case when streams.schema is distinct from excluded.schema then now() else streams.changed_at end
         returning id",
        workspace,
        Uuid::now_v7(),
        source.0,
        name,
        schema
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(StreamId(id))
}

/// What a group of segments adds to a stream.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    pub events: i64,
    pub deletes_kept: i64,
    pub last_event_at: Option<Micros>,
    /// Rows that its snapshot read, said at the snapshot's end.
    pub snapshot_rows: Option<i64>,
    pub truncated_xid: Option<i64>,
}

/// Adds to streams.
pub async fn progress(tx: &mut WorkspaceTx, streams: &[(StreamId, Progress)]) -> Result<()> {
    if streams.is_empty() {
        return Ok(());
    }
    let workspace = tx.workspace();
    let ids: Vec<Uuid> = streams.iter().map(|s| s.0.0).collect();
    let events: Vec<i64> = streams.iter().map(|s| s.1.events).collect();
    let deletes: Vec<i64> = streams.iter().map(|s| s.1.deletes_kept).collect();
    let last: Vec<_> = streams.iter().map(|s| s.1.last_event_at.map(timestamp)).collect();
    let snapshot: Vec<Option<i64>> = streams.iter().map(|s| s.1.snapshot_rows).collect();
    let truncated: Vec<Option<i64>> = streams.iter().map(|s| s.1.truncated_xid).collect();
    sqlx::query!(
        "update streams s
         set events = s.events + p.events, deletes_kept = s.deletes_kept + p.deletes_kept,
             last_event_at = greatest(s.last_event_at, p.last_event_at),
             snapshot_rows = coalesce(p.snapshot_rows, s.snapshot_rows),
             snapshot_done_at = case when p.snapshot_rows is not null then now() else s.snapshot_done_at end,
             truncated_xid = coalesce(p.truncated_xid, s.truncated_xid)
         from unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::bigint[], $7::bigint[])
              as p (id, events, deletes_kept, last_event_at, snapshot_rows, truncated_xid)
         where s.workspace_id = $1 and s.id = p.id",
        workspace,
        &ids,
        &events,
        &deletes,
        &last as &[Option<time::OffsetDateTime>],
        &snapshot as &[Option<i64>],
        &truncated as &[Option<i64>]
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Transaction of a stream's last truncate; 0: none.
pub async fn truncated_xid(tx: &mut WorkspaceTx, stream: StreamId) -> Result<u64> {
    let workspace = tx.workspace();
    let xid = sqlx::query_scalar!(
        "select truncated_xid from streams where workspace_id = $1 and id = $2",
        workspace,
        stream.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(xid as u64)
}
