//! Refine: from bronze to read models. This process's partitions are leased; a source with news in one of them is
//! refined until there is none, several sources beside each other, the workspaces in turns.

pub mod apply;
pub mod cast;
pub mod catalog;
pub mod decode;
pub mod derive;
pub mod flatten;
pub mod layout;
pub mod numbers;
pub mod prepare;
pub mod record;
pub mod samples;
pub mod source;
pub mod turns;
pub mod walk;

use crate::context::WorkerContext;
use crate::leases::Leases;
use clarity_domain::ids::{SourceId, WorkspaceId};
use clarity_store::head::{self, Head, HeadListener};
use clarity_store::refine::{Fence, Place};
use clarity_store::{StoreError, SystemStore};
use source::SourceRefiner;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::task::{self, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;
use turns::Turns;

/// The role's name in the table of leases.
pub const ROLE: &str = "refine";
/// Sources refined at one time.
const AT_ONCE: usize = 3;
/// How long a source is refined before others get their turn.
const TURN: Duration = Duration::from_secs(2);
/// Without a wake-up call heads are read so often.
const POLL: Duration = Duration::from_secs(1);
/// A source that failed rests so long.
const REST: Duration = Duration::from_secs(1);

/// A source as this process knows it.
enum Known {
    Running,
    /// The place it reached, and what it may go on with under the same lease.
    Idle {
        refiner: Box<SourceRefiner>,
        reached: Place,
    },
    Resting {
        until: Instant,
    },
}

type Ended = (SourceId, Box<SourceRefiner>, anyhow::Result<Place>);

/// Runs until told to stop, then gives the leases back.
///
/// # Errors
/// None that ends the role while the database comes back.
pub async fn run(ctx: WorkerContext, stop: CancellationToken) -> anyhow::Result<()> {
    let replays = tokio::spawn(crate::dead_letters::jobs::run(ctx.clone(), stop.clone()));
    let rewrites = tokio::spawn(crate::rewrite::run(ctx.clone(), stop.clone()));
    let mut leases = Leases::new(ctx.clone(), ROLE);
    let mut sources: HashMap<SourceId, Known> = HashMap::new();
    let mut tasks: JoinSet<Ended> = JoinSet::new();
    let mut turns = Turns::default();
    // What a task works on, for one that ends without a word.
    let mut running: HashMap<task::Id, (SourceId, WorkspaceId)> = HashMap::new();
    let mut listener: Option<HeadListener> = None;
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !stop.is_cancelled() {
        if listener.is_none() {
            listener = SystemStore::listen_heads(&ctx.listener).await.ok();
        }
        let look = tokio::select! {
            () = stop.cancelled() => break,
            _ = poll.tick() => true,
            heard = heard(&mut listener) => heard.is_none_or(|partition| leases.token(partition).is_some()),
            Some(ended) = tasks.join_next_with_id() => {
                let of = running.remove(&ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id));
                if let Some((_, workspace)) = of {
                    turns.end(workspace);
                }
                match (ended, of) {
                    (Ok((_, ended)), _) => note_end(&mut sources, ended),
                    (Err(e), of) => {
                        tracing::error!(error = %e, "a refine task ended; its source is tried again");
                        if let Some((source, _)) = of {
                            sources.insert(source, Known::Resting { until: Instant::now() + REST });
                        }
                    }
                }
                true
            }
        };
        if !look {
            continue;
        }
        if let Err(e) = dispatch(&ctx, &mut leases, &mut sources, &mut tasks, &mut turns, &mut running, &stop).await {
            tracing::warn!(error = %e, "cannot look for work");
        }
    }
    while tasks.join_next().await.is_some() {}
    leases.release().await;
    let _ = replays.await;
    let _ = rewrites.await;
    Ok(())
}

async fn heard(listener: &mut Option<HeadListener>) -> Option<i32> {
    let Some(open) = listener else { return std::future::pending().await };
    match open.next().await {
        Ok(partition) => partition,
        Err(e) => {
            tracing::warn!(error = %e, "not listening for heads; polling until the database answers");
            *listener = None;
            tokio::time::sleep(POLL).await;
            None
        }
    }
}

fn note_end(sources: &mut HashMap<SourceId, Known>, (id, refiner, result): Ended) {
    let known = match result {
        Ok(reached) => Known::Idle { refiner, reached },
        Err(e) => {
            if !matches!(e.downcast_ref(), Some(StoreError::Fenced)) {
                tracing::warn!(source_id = %id, error = %format!("{e:#}"), "refining failed; it is tried again");
            }
            Known::Resting { until: Instant::now() + REST }
        }
    };
    sources.insert(id, known);
}

/// Starts tasks for sources that have news, as many as there are places; the others wait for the next end of one.
async fn dispatch(
    ctx: &WorkerContext,
    leases: &mut Leases,
    sources: &mut HashMap<SourceId, Known>,
    tasks: &mut JoinSet<Ended>,
    turns: &mut Turns,
    running: &mut HashMap<task::Id, (SourceId, WorkspaceId)>,
    stop: &CancellationToken,
) -> Result<(), StoreError> {
    leases.keep().await?;
    let mut tx = ctx.system.begin().await?;
    let heads = head::list(&mut tx, &leases.partitions()).await?;
    tx.commit().await?;
    let mut waiting: Vec<(Head, Fence)> = heads
        .into_iter()
        .filter_map(|head| {
            let token = leases.token(head.partition)?;
            let fence = Fence { role: ROLE, partition: head.partition, token };
            has_news(sources.get(&head.source_id), &head, fence).then_some((head, fence))
        })
        .collect();
    let mut workspaces: Vec<WorkspaceId> = waiting.iter().map(|(head, _)| head.scope.workspace_id()).collect();
    while tasks.len() < AT_ONCE
        && let Some(index) = turns.next(&workspaces)
    {
        let (head, fence) = waiting.swap_remove(index);
        let (workspace, id) = (workspaces.swap_remove(index), head.source_id);
        turns.begin(workspace);
        let refiner = match sources.insert(id, Known::Running) {
            Some(Known::Idle { refiner, .. }) if refiner.fence() == Some(fence) => refiner,
            // Nothing known, or known under another lease: the cursor says.
            _ => Box::new(SourceRefiner::new(ctx.clone(), head, Some(fence))),
        };
        let stop = stop.clone();
        let task = tasks.spawn(async move {
            let mut refiner = refiner;
            let result = refiner.turn(&stop, Some(TURN)).await;
            (id, refiner, result)
        });
        running.insert(task.id(), (id, workspace));
    }
    Ok(())
}

/// Whether there is something to refine that nobody here refines.
fn has_news(known: Option<&Known>, head: &Head, fence: Fence) -> bool {
    match known {
        Some(Known::Running) => false,
        Some(Known::Resting { until }) => *until <= Instant::now(),
        Some(Known::Idle { refiner, reached }) if refiner.fence() == Some(fence) => {
            (reached.epoch, reached.seq) < (head.epoch, head.next_seq)
        }
        _ => true,
    }
}
