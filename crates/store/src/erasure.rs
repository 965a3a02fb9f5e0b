//! Removing all that a workspace had, when its deletion is due: a bounded batch at a time, each with its count in the
//! certificate. What may be removed, and in which order, the database finds in its own catalogue
//! (`migrations/…_deletion.sql`), and checks anew with each batch that it is due and that no hold is open.

use crate::error::StoreError;
use crate::scope::{Principal, WorkspaceScope};
use crate::{Result, SystemTx, WorkspaceTx};
use clarity_domain::ids::WorkspaceId;

pub use crate::retention::{Figures, Removed};

/// Rows of a statement; of samples and bronze these are chunks and segments.
pub const BATCH_ROWS: i32 = 1_000;

/// What has come of the wish to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The doors are closed, now or before.
    Yes,
    /// A legal hold is open: everything stays.
    Held,
}

/// The workspaces whose time has come.
///
/// # Crosses workspaces
/// A worker erases whichever is due; their ids alone are read here.
pub async fn list_due(tx: &mut SystemTx) -> Result<Vec<WorkspaceScope>> {
    let ids = sqlx::query_scalar!(r#"select workspace_id as "workspace_id!" from auth.list_due_deletions()"#)
        .fetch_all(tx.conn())
        .await?;
    Ok(ids.into_iter().map(|id| WorkspaceScope::new(WorkspaceId(id), Principal::Worker)).collect())
}

/// The workspaces that went within a day: [`remove_batch`] takes what still turns up of them.
///
/// # Crosses workspaces
/// As [`list_due`].
pub async fn list_just_deleted(tx: &mut SystemTx) -> Result<Vec<WorkspaceScope>> {
    let ids = sqlx::query_scalar!(r#"select workspace_id as "workspace_id!" from auth.list_just_deleted()"#)
        .fetch_all(tx.conn())
        .await?;
    Ok(ids.into_iter().map(|id| WorkspaceScope::new(WorkspaceId(id), Principal::Worker)).collect())
}

/// Nobody waits long behind an erasure, and it for nobody: it is tried again.
async fn be_patient(tx: &mut WorkspaceTx) -> Result<()> {
    sqlx::query!(r#"select set_config('lock_timeout', '3s', true) as "set""#).fetch_one(tx.conn()).await?;
    Ok(())
}

/// Takes away all that leads into the workspace: seats, keys, tokens, codes, and what wakes workers.
///
/// # Errors
/// `Refused` when no deletion is due; `Unavailable` when others hold rows for long.
pub async fn begin(tx: &mut WorkspaceTx) -> Result<Begun> {
    be_patient(tx).await?;
    let said = sqlx::query_scalar!(r#"select begin_erasure() as "said!""#).fetch_one(tx.conn()).await?;
    Ok(if said == "held" { Begun::Held } else { Begun::Yes })
}

/// Every table with rows of workspaces, in the order in which they go.
pub async fn list_tables(tx: &mut WorkspaceTx) -> Result<Vec<String>> {
    let names =
        sqlx::query_scalar!(r#"select table_name as "table_name!" from erasable_tables() order by turn, table_name"#)
            .fetch_all(tx.conn())
            .await?;
    Ok(names)
}

/// Removes at most `limit` rows of a table. `None`: rows that others still refer to; theirs go first.
///
/// # Errors
/// `Refused` when the deletion has not begun, or a hold was placed; `Unavailable` when others hold rows for long.
pub async fn remove_batch(tx: &mut WorkspaceTx, table: &str, limit: i32) -> Result<Option<Removed>> {
    be_patient(tx).await?;
    let removed =
        sqlx::query!(r#"select removed as "removed!", freed as "freed!" from erase_batch($1, $2)"#, table, limit)
            .fetch_one(tx.conn())
            .await
            .map_err(StoreError::from);
    match removed {
        Ok(row) => Ok(Some(Removed { rows: row.removed, bytes: row.freed })),
        Err(StoreError::Conflict(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// How many records the workspace has; [`crate::retention::measure`] knows those alone that were deleted at the source.
pub async fn measure_records(tx: &mut WorkspaceTx) -> Result<Figures> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        r#"select count(*) as "rows!", coalesce(sum(pg_column_size(r)), 0)::bigint as "bytes!"
           from records r
           where r.workspace_id = $1"#,
        workspace
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(Figures { rows: row.rows, bytes: row.bytes, oldest_at: None })
}

/// Ends it, when nothing is left and the doors have been closed for so many seconds. False: not yet.
///
/// # Errors
/// As [`remove_batch`].
pub async fn finish(tx: &mut WorkspaceTx, settled_s: i32) -> Result<bool> {
    be_patient(tx).await?;
    let done = sqlx::query_scalar!(r#"select finish_erasure($1) as "done!""#, settled_s).fetch_one(tx.conn()).await?;
    Ok(done)
}
