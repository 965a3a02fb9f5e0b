//! Rollup: dirty minutes to buckets of a minute, those to hours, those to the site's days.
//!
//! First the minutes to be computed are taken: moved aside within their marks, in a short transaction. Then chunks and
//! buckets are read as of one moment and what follows is computed, without a lock. Last the buckets are written and what
//! was taken is cleared, in one transaction. A sample that comes meanwhile marks its minute anew, and what a crash leaves
//! taken is taken again: a sample is never missing from a bucket that no mark calls dirty.

pub mod buckets;
pub mod day;
mod pass;

use crate::context::WorkerContext;
use crate::leases::Leases;
use clarity_store::refine::Fence;
use clarity_store::{StoreError, head};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The role's name in the table of leases.
pub const ROLE: &str = "rollup";
const POLL: Duration = Duration::from_millis(500);

/// How long a mark rests before its bucket is computed, since more samples come soon.
pub const REST_MS: i64 = 2_000;

pub use pass::pass;

/// Runs until told to stop, then gives the leases back.
///
/// # Errors
/// None that ends the role while the database comes back.
pub async fn run(ctx: WorkerContext, stop: CancellationToken) -> anyhow::Result<()> {
    let mut leases = Leases::new(ctx.clone(), ROLE);
    while !stop.is_cancelled() {
        let worked = match round(&ctx, &mut leases, &stop).await {
            Ok(worked) => worked,
            Err(e) => {
                if !matches!(e.downcast_ref(), Some(StoreError::Fenced)) {
                    tracing::warn!(error = %format!("{e:#}"), "rolling up failed; it is tried again");
                }
                false
            }
        };
        if !worked {
            tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(POLL) => {} }
        }
    }
    leases.release().await;
    Ok(())
}

/// One pass over every source; whether any had work.
async fn round(ctx: &WorkerContext, leases: &mut Leases, stop: &CancellationToken) -> anyhow::Result<bool> {
    leases.keep().await?;
    let mut tx = ctx.system.begin().await?;
    let heads = head::list(&mut tx, &leases.partitions()).await?;
    tx.commit().await?;
    let mut worked = false;
    for head in heads {
        if stop.is_cancelled() {
            break;
        }
        leases.keep().await?;
        let Some(token) = leases.token(head.partition) else { continue };
        let fence = Fence { role: ROLE, partition: head.partition, token };
        worked |= pass(&ctx.worker, &head, Some(fence), REST_MS).await? > 0;
    }
    Ok(worked)
}
