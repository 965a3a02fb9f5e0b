//! The proof of a run, what is gone from the beginning, and days of bronze that nobody has rows in any more.

use super::{Figures, Removed};
use crate::at::{micros, timestamp};
use crate::ingest::PARTITIONS;
use crate::refine::Place;
use crate::scope::{Principal, WorkspaceScope};
use crate::tx::SystemTx;
use crate::{Result, StoreError, WorkspaceTx};
use clarity_domain::ids::{SourceId, StreamId, WorkspaceId};
use clarity_domain::retention::DataClass;
use clarity_domain::time::Micros;
use std::collections::HashMap;
use uuid::Uuid;

/// A run over one class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub id: Uuid,
    pub class: DataClass,
    pub started_at: Micros,
    pub cut_at: Option<Micros>,
}

/// Notes what a batch removed, in the transaction that does: what is gone has its proof, whatever happens next.
pub async fn note(tx: &mut WorkspaceTx, run: &Run, removed: Removed) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "insert into retention_runs as r (workspace_id, id, data_class, started_at, cut_at, rows_removed, bytes_freed)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (workspace_id, id) do update
         set rows_removed = r.rows_removed + excluded.rows_removed, bytes_freed = r.bytes_freed + excluded.bytes_freed",
        workspace,
        run.id,
        run.class.as_str(),
        timestamp(run.started_at),
        run.cut_at.map(timestamp),
        removed.rows,
        removed.bytes
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Ends a run that was noted, with what is left of its class.
pub async fn finish(tx: &mut WorkspaceTx, run: &Run, kept: Figures) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "update retention_runs
         set finished_at = now(), oldest_kept_at = $3, rows_kept = $4, bytes_kept = $5
         where workspace_id = $1
           and id = $2",
        workspace,
        run.id,
        kept.oldest_at.map(timestamp),
        kept.rows,
        kept.bytes
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A run that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEnd {
    pub class: DataClass,
    pub at: Micros,
    pub removed: Removed,
    pub kept: Figures,
}

/// Each class's last run that has ended.
pub async fn list_last_runs(tx: &mut WorkspaceTx) -> Result<Vec<RunEnd>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select distinct on (data_class) data_class, finished_at as "finished_at!", rows_removed, bytes_freed,
                  oldest_kept_at, rows_kept, bytes_kept
           from retention_runs
           where workspace_id = $1
             and finished_at is not null
           order by data_class, started_at desc, id desc"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(RunEnd {
                class: DataClass::read(&r.data_class).ok_or(StoreError::Corrupt("retention_runs.data_class"))?,
                at: micros(r.finished_at),
                removed: Removed { rows: r.rows_removed, bytes: r.bytes_freed },
                kept: Figures {
                    rows: r.rows_kept.unwrap_or(0),
                    bytes: r.bytes_kept.unwrap_or(0),
                    oldest_at: r.oldest_kept_at.map(micros),
                },
            })
        })
        .collect()
}

/// Before when something of a class was removed; classes of which nothing ever was are not there.
pub async fn list_cuts(tx: &mut WorkspaceTx) -> Result<HashMap<DataClass, Micros>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select data_class, max(cut_at) as "cut_at!"
           from retention_runs
           where workspace_id = $1
             and rows_removed > 0
             and cut_at is not null
           group by data_class"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().filter_map(|r| Some((DataClass::read(&r.data_class)?, micros(r.cut_at)))).collect())
}

/// Before when what assets' buckets of a stream are made of is gone, by asset number: hours from there on are whole.
pub async fn list_floors(tx: &mut WorkspaceTx, stream: StreamId) -> Result<HashMap<i32, Micros>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select asset_number, before_at from retention_floors where workspace_id = $1 and stream_id = $2",
        workspace,
        stream.0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|r| (r.asset_number, micros(r.before_at))).collect())
}

/// Where a source's bronze begins, if its beginning was removed. Single segments before may still be there.
pub async fn find_bronze_cut(tx: &mut WorkspaceTx, source: SourceId) -> Result<Option<Place>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "select epoch, next_seq from bronze_cuts where workspace_id = $1 and source_id = $2",
        workspace,
        source.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Place { epoch: r.epoch, seq: r.next_seq }))
}

/// Drops the days of bronze before `cut` in which there is nothing; gives how many.
///
/// # Crosses workspaces
/// A day's partition holds rows of all workspaces. The database's own function looks whether there are any, and only their
/// absence is known here.
pub async fn drop_empty_partitions(tx: &mut SystemTx, cut: Micros) -> Result<i32> {
    Ok(sqlx::query_scalar!(r#"select ops.drop_empty_partitions($1) as "dropped!""#, timestamp(cut).date())
        .fetch_one(tx.conn())
        .await?)
}

/// The workspaces that are older than a day, of these partitions: each is in one of them by its id, whether it has a source or
/// not.
///
/// # Crosses workspaces
/// A worker takes the turn of every workspace; their ids alone are read here.
pub async fn list_workspaces(tx: &mut SystemTx, partitions: &[i32]) -> Result<Vec<WorkspaceScope>> {
    let ids = sqlx::query_scalar!(r#"select workspace_id as "workspace_id!" from auth.list_aged_workspaces()"#)
        .fetch_all(tx.conn())
        .await?;
    let own = ids.into_iter().filter(|id| partitions.contains(&partition(*id)));
    Ok(own.map(|id| WorkspaceScope::new(WorkspaceId(id), Principal::Worker)).collect())
}

/// By the last bits of an id, which are random.
fn partition(workspace: Uuid) -> i32 {
    i32::from(workspace.as_bytes()[15]) % PARTITIONS
}
