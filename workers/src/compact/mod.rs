//! Compaction: hot chunks, which hold whatever arrived together, become sealed ones of one asset and UTC day.
//!
//! Nothing that is read changes: the same rows stand elsewhere, in one transaction. Two compactors cannot double
//! anything, since a transaction that finds a chunk gone which it took is not committed ([`seal`]).

mod policy;
mod seal;

use crate::context::WorkerContext;
use crate::leases::Leases;
use clarity_runtime::shutdown::CancellationToken;
use clarity_store::{StoreError, WorkspaceScope, compaction, head};
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{Instant, sleep};

const ROLE: &str = "compact";
/// A workspace with much to do lets others have their turn, and the leases be renewed, after this.
const TURN: Duration = Duration::from_secs(4);
/// When there was nothing to do.
const PAUSE: Duration = Duration::from_secs(2);

/// Compacts what this holder leases, until shutdown.
pub async fn run(context: WorkerContext, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut leases = Leases::new(context.clone(), ROLE);
    while !shutdown.is_cancelled() {
        let pause = match round(&context, &mut leases, &shutdown).await {
            Ok(true) => continue,
            Ok(false) => PAUSE,
            Err(error) => {
                tracing::warn!(error = format!("{error:#}"), "compaction stopped; going on in a moment");
                PAUSE
            }
        };
        tokio::select! { () = sleep(pause) => {}, () = shutdown.cancelled() => {} }
    }
    leases.release().await;
    Ok(())
}

/// Looks at every workspace of the leased partitions once; true when something was sealed.
async fn round(context: &WorkerContext, leases: &mut Leases, shutdown: &CancellationToken) -> anyhow::Result<bool> {
    let mut sealed = false;
    leases.keep().await?;
    for scope in workspaces(context, &leases.partitions()).await? {
        let began_at = Instant::now();
        while !shutdown.is_cancelled() && began_at.elapsed() < TURN && pass(context, &scope).await? {
            sealed = true;
        }
        leases.keep().await?;
    }
    Ok(sealed)
}

/// The workspaces that have a source in a leased partition. Several holders may see the same workspace; each then takes
/// what the other has left.
async fn workspaces(context: &WorkerContext, partitions: &[i32]) -> Result<Vec<WorkspaceScope>, StoreError> {
    let mut tx = context.system.begin().await?;
    let heads = head::list(&mut tx, partitions).await?;
    tx.commit().await?;
    let by_workspace: HashMap<_, _> = heads.into_iter().map(|h| (h.scope.workspace_id(), h.scope)).collect();
    Ok(by_workspace.into_values().collect())
}

/// Seals one batch of each of the workspace's streams that is due; false when none is.
///
/// # Errors
/// The store's, and a chunk that cannot be read; then nothing has changed.
pub async fn pass(context: &WorkerContext, scope: &WorkspaceScope) -> anyhow::Result<bool> {
    let mut tx = context.worker.begin_read(scope).await?;
    let waiting = compaction::list_waiting(&mut tx, policy::SETTLED_S).await?;
    tx.commit().await?;
    let mut any = false;
    for stream in waiting.into_iter().filter(policy::is_due) {
        any |= seal::batch(&context.worker, scope, stream.stream_id).await?;
    }
    Ok(any)
}
