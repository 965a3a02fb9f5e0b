//! Deleting workspaces whose time has come: all doors close in one transaction, then everything goes in bounded batches with
//! pauses, each with its count in the certificate, and at last the workspace itself.
//!
//! Nothing here says what goes: the database finds its tables itself. Killed anywhere, it goes on where it was. Whoever was
//! inside when the doors closed (a batch of ingest, a page's act) may still write for a moment: the tables are gone through
//! again until none has a row, and the end is not before everybody's time to answer is over.

use crate::context::WorkerContext;
use clarity_runtime::shutdown::CancellationToken;
use clarity_store::erasure::{self, BATCH_ROWS, Begun, Removed};
use clarity_store::{StoreError, WorkspaceScope};
use std::time::{Duration, Instant};
use tokio::time::sleep;

/// Between looks for what is due.
const LOOK: Duration = Duration::from_secs(5);
/// Between looks for what still turned up of workspaces that are gone: a worker's own long work may end after theirs.
const SWEEP: Duration = Duration::from_secs(3600);
/// After one of which somebody was in the way.
const SWEEP_SOON: Duration = Duration::from_secs(60);
/// Between two batches: whoever waited behind one comes first.
const PAUSE: Duration = Duration::from_millis(20);
/// After the doors closed, so long the workspace stays: statements of members and agents end within it.
const SETTLED_S: i32 = 30;

/// Times that a turn goes through all tables: what comes meanwhile goes with the next.
const PASSES: u32 = 5;

/// How far it is with a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erased {
    /// It is gone.
    Wholly,
    /// Rows are left that others hold, or the doors closed a moment ago: it goes on with the next turn.
    NotYet,
    /// A legal hold is open: nothing more goes.
    Held,
}

/// What a sweep came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// That had turned up, and are gone.
    pub rows: i64,
    /// Workspaces that could not be gone through to the end.
    pub missed: u32,
}

/// Erases what is due, until shutdown.
pub async fn run(context: WorkerContext, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut next_sweep = Instant::now();
    while !shutdown.is_cancelled() {
        if let Err(error) = round(&context, SETTLED_S, &shutdown).await {
            tracing::warn!(error = format!("{error:#}"), "an erasure stopped; going on in a moment");
        }
        if Instant::now() >= next_sweep {
            let whole = match sweep(&context, &shutdown).await {
                Ok(swept) => swept.missed == 0,
                Err(error) => {
                    tracing::warn!(
                        error = format!("{error:#}"),
                        "what turns up of deleted workspaces is looked for again in a minute"
                    );
                    false
                }
            };
            next_sweep = Instant::now() + if whole { SWEEP } else { SWEEP_SOON };
        }
        tokio::select! { () = sleep(LOOK) => {}, () = shutdown.cancelled() => {} }
    }
    Ok(())
}

/// A turn of each workspace that is due, and what came of it. One that fails does not keep the others waiting.
///
/// # Errors
/// When nobody can say what is due.
pub async fn round(
    context: &WorkerContext,
    settled_s: i32,
    shutdown: &CancellationToken,
) -> anyhow::Result<Vec<Erased>> {
    let mut tx = context.system.begin().await?;
    let due = erasure::list_due(&mut tx).await?;
    tx.commit().await?;
    let mut all = Vec::with_capacity(due.len());
    for scope in due {
        if shutdown.is_cancelled() {
            break;
        }
        match workspace(context, &scope, settled_s, shutdown).await {
            Ok(erased) => all.push(erased),
            Err(error) => {
                tracing::warn!(workspace = %scope.workspace_id(), %error, "a workspace is not erased yet");
                all.push(Erased::NotYet);
            }
        }
    }
    Ok(all)
}

/// Removes what has turned up of workspaces that went within a day. One that fails does not keep the others waiting.
///
/// # Errors
/// When nobody can say which went.
pub async fn sweep(context: &WorkerContext, stop: &CancellationToken) -> anyhow::Result<Swept> {
    let mut tx = context.system.begin().await?;
    let gone = erasure::list_just_deleted(&mut tx).await?;
    tx.commit().await?;
    let mut swept = Swept::default();
    for scope in gone {
        if let Err(error) = sweep_one(context, &scope, stop, &mut swept.rows).await {
            tracing::warn!(workspace = %scope.workspace_id(), %error, "what turns up of a deleted workspace is not removed yet");
            swept.missed += 1;
        }
    }
    if swept.rows > 0 {
        tracing::info!(rows = swept.rows, "rows of deleted workspaces turned up, and were removed");
    }
    Ok(swept)
}

async fn sweep_one(
    context: &WorkerContext,
    scope: &WorkspaceScope,
    stop: &CancellationToken,
    rows: &mut i64,
) -> Result<(), StoreError> {
    let mut tx = context.worker.begin_read(scope).await?;
    let tables = erasure::list_tables(&mut tx).await?;
    tx.commit().await?;
    for table in &tables {
        *rows += empty(context, scope, table, stop).await?.rows;
    }
    Ok(())
}

/// One workspace's turn.
///
/// # Errors
/// The store's; what went before stays gone, and is counted.
pub async fn workspace(
    context: &WorkerContext,
    scope: &WorkspaceScope,
    settled_s: i32,
    stop: &CancellationToken,
) -> Result<Erased, StoreError> {
    let mut tx = context.worker.begin(scope).await?;
    if erasure::begin(&mut tx).await? == Begun::Held {
        tracing::info!(workspace = %scope.workspace_id(), "a legal hold keeps a workspace whose deletion is due");
        return Ok(Erased::Held);
    }
    tx.commit().await?;
    let mut tx = context.worker.begin_read(scope).await?;
    let tables = erasure::list_tables(&mut tx).await?;
    tx.commit().await?;
    for _ in 0..PASSES {
        let mut total = Removed::default();
        for table in &tables {
            let removed = empty(context, scope, table, stop).await?;
            total.rows += removed.rows;
            total.bytes += removed.bytes;
        }
        let Removed { rows, bytes } = total;
        if rows == 0 {
            break;
        }
        tracing::info!(workspace = %scope.workspace_id(), rows, bytes, "a workspace is being erased");
    }
    if stop.is_cancelled() {
        return Ok(Erased::NotYet);
    }
    let mut tx = context.worker.begin(scope).await?;
    if !erasure::finish(&mut tx, settled_s).await? {
        return Ok(Erased::NotYet);
    }
    tx.commit().await?;
    tracing::info!(workspace = %scope.workspace_id(), "a workspace is gone");
    Ok(Erased::Wholly)
}

/// Batch after batch of a table, until few rows of the workspace are left in it (whoever adds to it must not keep us here), or
/// one that another table's still refers to.
async fn empty(
    context: &WorkerContext,
    scope: &WorkspaceScope,
    table: &str,
    stop: &CancellationToken,
) -> Result<Removed, StoreError> {
    let mut total = Removed::default();
    while !stop.is_cancelled() {
        let mut tx = context.worker.begin(scope).await?;
        let Some(removed) = erasure::remove_batch(&mut tx, table, BATCH_ROWS).await? else { break };
        tx.commit().await?;
        total.rows += removed.rows;
        total.bytes += removed.bytes;
        if removed.rows < i64::from(BATCH_ROWS) {
            break;
        }
        tokio::select! { () = sleep(PAUSE) => {}, () = stop.cancelled() => {} }
    }
    Ok(total)
}
