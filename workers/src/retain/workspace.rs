//! One workspace's turn: class after class, batch after batch. Each batch looks for legal holds itself and notes its proof in its
//! own transaction.

use crate::context::WorkerContext;
use clarity_domain::audit::{Act, ActorKind, Outcome};
use clarity_domain::retention::{DEFAULT_KEEP, DataClass, Keep, cut_at};
use clarity_domain::time::{DAY, Micros};
use clarity_runtime::clock::now_us;
use clarity_runtime::shutdown::CancellationToken;
use clarity_store::audit::{self, Actor, Entry, Object};
use clarity_store::retention::{self, BATCH_ROWS, Removed, Run};
use clarity_store::{StoreError, WorkspaceScope, WorkspaceTx};
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::sleep;
use uuid::Uuid;

/// Between two batches: whoever waited behind one comes first.
const PAUSE: Duration = Duration::from_millis(100);

/// What was done about a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    pub class: DataClass,
    pub removed: Removed,
    /// A legal hold stopped it.
    pub held: bool,
}

/// Removes what the workspace keeps no longer.
///
/// # Errors
/// The store's; what was removed before stays removed, and has its proof.
pub async fn workspace(
    ctx: &WorkerContext,
    scope: &WorkspaceScope,
    stop: &CancellationToken,
) -> anyhow::Result<Vec<Done>> {
    let now = now_us();
    let mut tx = ctx.worker.begin_read(scope).await?;
    let policies: HashMap<DataClass, Keep> = retention::list_policies(&mut tx).await?.into_iter().collect();
    let last_runs: HashMap<DataClass, Micros> =
        retention::list_last_runs(&mut tx).await?.into_iter().map(|run| (run.class, run.at)).collect();
    tx.commit().await?;
    let mut all = Vec::with_capacity(DataClass::ALL.len());
    for class in DataClass::ALL {
        if stop.is_cancelled() {
            break;
        }
        let keep = policies.get(&class).copied().unwrap_or(DEFAULT_KEEP);
        let run = Run { id: Uuid::now_v7(), class, started_at: now, cut_at: cut_at(keep, now) };
        let fresh = last_runs.get(&class).is_some_and(|at| now - at < DAY);
        match remove(ctx, scope, &run, fresh, stop).await {
            Ok(done) => all.push(done),
            // Somebody holds these rows for long, a rebuild for instance: the next turn comes.
            Err(StoreError::Unavailable(_)) => {
                tracing::info!(class = class.as_str(), "retention waits for rows in use");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(all)
}

/// Removes a class's old rows. When there are none, the figures are noted once a day all the same.
async fn remove(
    ctx: &WorkerContext,
    scope: &WorkspaceScope,
    run: &Run,
    fresh: bool,
    stop: &CancellationToken,
) -> Result<Done, StoreError> {
    let mut done = Done { class: run.class, removed: Removed::default(), held: false };
    while let Some(cut) = run.cut_at.filter(|_| !stop.is_cancelled()) {
        let mut tx = ctx.worker.begin(scope).await?;
        if !retention::enter(&mut tx).await? {
            done.held = true;
            break;
        }
        let removed = retention::remove_batch(&mut tx, run.class, cut, BATCH_ROWS).await?;
        if removed.rows == 0 {
            break;
        }
        retention::note(&mut tx, run, removed).await?;
        tx.commit().await?;
        done.removed.rows += removed.rows;
        done.removed.bytes += removed.bytes;
        tokio::select! { () = sleep(PAUSE) => {}, () = stop.cancelled() => {} }
    }
    if done.removed.rows == 0 && fresh {
        return Ok(done);
    }
    let mut tx = ctx.worker.begin(scope).await?;
    if done.removed.rows == 0 {
        retention::note(&mut tx, run, Removed::default()).await?;
    }
    let kept = retention::measure(&mut tx, run.class, None).await?;
    retention::finish(&mut tx, run, kept).await?;
    // The audit log's own cut is told of by the database, in the statement that makes it.
    if done.removed.rows > 0 && run.class != DataClass::Audit {
        tell(&mut tx, run, done.removed).await?;
    }
    tx.commit().await?;
    if done.removed.rows > 0 {
        let Removed { rows, bytes } = done.removed;
        tracing::info!(workspace = %scope.workspace_id(), class = run.class.as_str(), rows, bytes, "retention removed");
    }
    Ok(done)
}

/// Writes into the audit log what went.
async fn tell(tx: &mut WorkspaceTx, run: &Run, removed: Removed) -> Result<(), StoreError> {
    let actor = Actor { kind: ActorKind::Service, id: None, name: "retain".into() };
    let before = run.cut_at.and_then(|at| jiff::Timestamp::from_microsecond(at).ok()).map(|at| at.to_string());
    let entry = Entry {
        actor: &actor,
        act: Act::RunRetention,
        object: Object { kind: "retention", id: run.class.as_str(), name: run.class.name() },
        before: None,
        after: Some(json!({ "rows": removed.rows, "bytes": removed.bytes, "before": before })),
        outcome: Outcome::Done,
        address: "",
        request_id: None,
    };
    audit::record(tx, &entry).await
}
