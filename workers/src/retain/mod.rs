//! Retention: what a workspace keeps no longer is removed, hour after hour, in bounded batches with pauses, so that whoever
//! writes does not feel it; and days of bronze in which nobody has a row any more are dropped.
//!
//! A workspace with sources in several partitions may be seen by several holders; each then takes what the other has left.
//! One without any source has an audit log all the same, and its turn: it is in one partition, by its id.

mod workspace;

use crate::audit;
use crate::context::WorkerContext;
use crate::leases::Leases;
use anyhow::Context;
use clarity_domain::audit::Act;
use clarity_domain::ids::WorkspaceId;
use clarity_domain::retention::cut_at;
use clarity_runtime::clock::now_us;
use clarity_runtime::shutdown::CancellationToken;
use clarity_store::{StoreError, WorkspaceScope, head, retention};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::time::sleep;

pub use workspace::{Done, workspace};

const ROLE: &str = "retain";
const LOOK: Duration = Duration::from_secs(5);
/// A workspace's turn comes so often.
const EVERY: Duration = Duration::from_secs(3600);
/// Days of bronze that may still be written to, or that a source's late batch may fall into.
const WRITTEN_DAYS: u32 = 2;

/// Removes what is due in the workspaces of the leased partitions, until shutdown.
pub async fn run(context: WorkerContext, shutdown: CancellationToken) -> anyhow::Result<()> {
    let mut leases = Leases::new(context.clone(), ROLE);
    let mut turns = Turns::default();
    while !shutdown.is_cancelled() {
        if let Err(error) = round(&context, &mut leases, &mut turns, &shutdown).await {
            tracing::warn!(error = format!("{error:#}"), "retention stopped; going on in a moment");
        }
        tokio::select! { () = sleep(LOOK) => {}, () = shutdown.cancelled() => {} }
    }
    leases.release().await;
    Ok(())
}

/// When each workspace, and the partitions, last had their turn in this process.
#[derive(Default)]
struct Turns {
    workspaces: HashMap<WorkspaceId, Instant>,
    partitions: Option<Instant>,
}

async fn round(
    context: &WorkerContext,
    leases: &mut Leases,
    turns: &mut Turns,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    leases.keep().await?;
    let partitions = leases.partitions();
    if partitions.is_empty() {
        return Ok(());
    }
    for scope in workspaces(context, &partitions).await? {
        let last = turns.workspaces.get(&scope.workspace_id());
        if shutdown.is_cancelled() || last.is_some_and(|at| at.elapsed() < EVERY) {
            continue;
        }
        turns.workspaces.insert(scope.workspace_id(), Instant::now());
        // A long turn: the leases are kept meanwhile.
        let work = workspace(context, &scope, shutdown);
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => {
                    done?;
                    break;
                }
                () = sleep(LOOK) => leases.keep().await?,
            }
        }
    }
    if turns.partitions.is_none_or(|at| at.elapsed() >= EVERY) {
        turns.partitions = Some(Instant::now());
        drop_partitions(context).await?;
    }
    Ok(())
}

/// Whose turns the holder of these partitions takes.
///
/// # Errors
/// The store's.
pub async fn workspaces(context: &WorkerContext, partitions: &[i32]) -> Result<Vec<WorkspaceScope>, StoreError> {
    let mut tx = context.system.begin().await?;
    let heads = head::list(&mut tx, partitions).await?;
    let aged = retention::list_workspaces(&mut tx, partitions).await?;
    tx.commit().await?;
    let all = heads.into_iter().map(|head| head.scope).chain(aged);
    let by_workspace: HashMap<_, _> = all.map(|scope| (scope.workspace_id(), scope)).collect();
    Ok(by_workspace.into_values().collect())
}

/// Drops days of bronze that are empty for all workspaces; gives how many.
pub async fn drop_partitions(context: &WorkerContext) -> anyhow::Result<i32> {
    let Some(cut) = cut_at(Some(WRITTEN_DAYS), now_us()) else { return Ok(0) };
    let mut tx = context.system.begin().await?;
    let dropped = retention::drop_empty_partitions(&mut tx, cut).await?;
    tx.commit().await?;
    if dropped > 0 {
        tracing::info!(dropped, "empty days of bronze dropped");
    }
    Ok(dropped)
}

/// `retain`: removes what is due in one workspace now.
pub async fn run_command(ctx: &WorkerContext, slug: &str) -> anyhow::Result<()> {
    let mut tx = ctx.system.begin().await?;
    let found = head::list_of_workspace(&mut tx, slug).await;
    let (scope, _) = found.with_context(|| format!("there is no workspace {slug}"))?;
    tx.commit().await?;
    audit::record(ctx, &scope, "retain", Act::RunRetention).await?;
    let all = workspace(ctx, &scope, &CancellationToken::new()).await?;
    for done in &all {
        let Done { class, removed, .. } = done;
        println!("{:<16} {:>10} rows removed, {} bytes freed", class.name(), removed.rows, removed.bytes);
    }
    if all.iter().any(|done| done.held) {
        println!("a legal hold is open: nothing was removed");
    }
    println!("{} empty days of bronze dropped", drop_partitions(ctx).await?);
    Ok(())
}
