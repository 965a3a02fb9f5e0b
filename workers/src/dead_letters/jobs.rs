//! Replays that members asked for on the page: one job after another, whoever of the workers claims it.

use super::{Request, replay_letters};
use crate::context::WorkerContext;
use clarity_store::replay::{self as jobs, Job};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const POLL: Duration = Duration::from_millis(500);

/// Carries out jobs until told to stop.
pub async fn run(ctx: WorkerContext, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let claimed = async {
            let mut tx = ctx.system.begin().await?;
            let job = jobs::claim(&mut tx, ctx.holder).await?;
            tx.commit().await?;
            Ok::<_, clarity_store::StoreError>(job)
        };
        let job = claimed.await.unwrap_or_else(|e| {
            tracing::warn!(error = %e, "cannot look for replays");
            None
        });
        let Some(job) = job else {
            tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(POLL) => {} }
            continue;
        };
        let done = carry_out(&ctx, &job).await;
        if let Err(e) = &done {
            tracing::warn!(error = %format!("{e:#}"), "a replay failed");
        }
        if let Err(e) = end(&ctx, &job, done.is_ok()).await {
            tracing::warn!(error = %format!("{e:#}"), "a replay's end cannot be noted; it is carried out again");
        }
    }
}

async fn carry_out(ctx: &WorkerContext, job: &Job) -> anyhow::Result<()> {
    let mut tx = ctx.worker.begin(&job.scope).await?;
    let wanted = jobs::find(&mut tx, job.replay).await?;
    tx.commit().await?;
    let Some(wanted) = wanted else { return Ok(()) };
    let request = Request { id: job.replay, stream_name: &wanted.stream_name, fingerprint: &wanted.fingerprint };
    replay_letters(ctx, &job.scope, wanted.source_id, Some(request)).await?;
    Ok(())
}

/// Also closes the request, whatever came of it, so that another may be made.
async fn end(ctx: &WorkerContext, job: &Job, done: bool) -> anyhow::Result<()> {
    let mut tx = ctx.worker.begin(&job.scope).await?;
    jobs::finish(&mut tx, job.replay).await?;
    tx.commit().await?;
    let mut tx = ctx.system.begin().await?;
    jobs::end(&mut tx, job.id, ctx.holder, done).await?;
    Ok(tx.commit().await?)
}
