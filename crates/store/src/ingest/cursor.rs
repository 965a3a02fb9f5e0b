//! Where ingest is with a source, and the jumps that are not batches: losses and new epochs.

use crate::error::StoreError;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::SourceId;
use serde_json::Value;
use uuid::Uuid;

#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    pub epoch: u32,
    pub next_seq: u64,
    pub last_hash: [u8; 32],
    pub position: Option<Value>,
}

/// The source's cursor, locked until the transaction ends.
pub async fn lock(tx: &mut WorkspaceTx, source_id: SourceId) -> Result<Cursor, StoreError> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "select epoch, next_seq, last_hash, position
         from source_cursors
         where workspace_id = $1 and source_id = $2
         for update",
        workspace,
        source_id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Cursor {
        epoch: row.epoch as u32,
        next_seq: row.next_seq as u64,
        last_hash: row.last_hash.try_into().map_err(|_| StoreError::Corrupt("source_cursors.last_hash"))?,
        position: row.position,
    })
}

/// Why a range has no segment.
#[derive(Clone, Debug)]
pub struct Gap<'a> {
    pub epoch: u32,
    pub from_seq: u64,
    /// Exclusive.
    pub to_seq: u64,
    /// `lost`, `quarantined` or `new_epoch`.
    pub kind: &'static str,
    pub reason: &'a str,
    /// The batch as received, for `quarantined`.
    pub body: Option<&'a [u8]>,
}

/// Leaves a gap marker. The cursor must be locked.
pub async fn mark_gap(tx: &mut WorkspaceTx, source_id: SourceId, gap: Gap<'_>) -> Result<(), StoreError> {
    let workspace = tx.workspace();
    let reason: String = gap.reason.chars().filter(|c| *c != '\0').take(500).collect();
    sqlx::query!(
        "insert into gap_markers (workspace_id, id, source_id, epoch, from_seq, to_seq, kind, reason, body)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        workspace,
        Uuid::now_v7(),
        source_id.0,
        gap.epoch as i32,
        gap.from_seq as i64,
        gap.to_seq as i64,
        gap.kind,
        reason,
        gap.body
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Moves a locked cursor past a gap or into a new epoch, and tells the workers.
pub async fn jump(
    tx: &mut WorkspaceTx,
    source_id: SourceId,
    epoch: u32,
    next_seq: u64,
    last_hash: &[u8; 32],
) -> Result<(), StoreError> {
    let workspace = tx.workspace();
    sqlx::query!(
        "with moved as (
           update source_cursors
           set epoch = $3, next_seq = $4, last_hash = $5, changed_at = now()
           where workspace_id = $1 and source_id = $2
           returning source_id
         ), head as (
           update ops.source_heads h
           set epoch = $3, next_seq = $4, changed_at = now()
           from moved
           where h.source_id = moved.source_id
           returning h.partition
         )
         select pg_notify('clarity_heads', partition::text)::text from head",
        workspace,
        source_id.0,
        epoch as i32,
        next_seq as i64,
        &last_hash[..]
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(())
}
