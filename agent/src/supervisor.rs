//! Keeps each source running: starts it where its spool stands, again after a problem, again in a new epoch, again when other
//! masks hold.

use crate::config::ConfiguredSource;
use crate::masks::Masks;
use crate::sources::{Policy, SourceError};
use crate::spool::SpoolError;
use crate::uplink::SourceHandle;
use crate::uplink::backoff::Backoff;
use clarity_wire::frame::Problem;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const RETRY_FIRST: Duration = Duration::from_millis(500);
const RETRY_MOST: Duration = Duration::from_secs(30);
/// A problem that a person has to solve is looked at again this often.
const RETRY_FATAL: Duration = Duration::from_secs(30);
/// A source that ran this long begins its retries anew.
const GOOD_RUN: Duration = Duration::from_secs(60);
/// How long a source may take to stop.
const STOP: Duration = Duration::from_secs(3);
/// Code of the problem that the supervisor itself sets.
const STOPPED: &str = "source_stopped";

/// Supervises one source until `shutdown`.
pub async fn supervise(
    configured: ConfiguredSource,
    handle: Arc<SourceHandle>,
    policy: Policy,
    masks: Masks,
    shutdown: CancellationToken,
) {
    let mut backoff = Backoff::new(RETRY_FIRST, RETRY_MOST);
    let _ = backoff.next_pause();
    loop {
        let Some(()) = ready(&handle, &shutdown).await else { return };
        let started = tokio::time::Instant::now();
        let ended = run_once(&configured, &handle, &policy, &masks, &shutdown).await;
        masks.end(&handle.name);
        if shutdown.is_cancelled() {
            return;
        }
        if started.elapsed() >= GOOD_RUN {
            backoff.reset();
            let _ = backoff.next_pause();
        }
        let pause = match ended {
            // Paused, another epoch or other masks: `ready` knows, and the next run.
            Ended::Asked | Ended::Failed(SourceError::Spool(SpoolError::EpochClosed(_))) => Duration::ZERO,
            Ended::Failed(error) => {
                let fatal = error.problem().is_some_and(|p| p.fatal);
                tracing::warn!(source = handle.name, fatal, "the source stopped: {error}");
                let problem = error.problem().cloned().unwrap_or_else(|| Problem {
                    code: STOPPED.into(),
                    message: error.to_string(),
                    fix: None,
                    fatal: false,
                });
                handle.reporter.problem(problem);
                handle.reporter.update(|s| s.state = if fatal { "failed" } else { "connecting" }.into());
                if fatal { RETRY_FATAL } else { backoff.next_pause() }
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

enum Ended {
    Asked,
    Failed(SourceError),
}

/// Waits until the source may run: not paused, and the spool knows where it begins. `None` at shutdown.
async fn ready(handle: &SourceHandle, shutdown: &CancellationToken) -> Option<()> {
    let mut paused = handle.paused();
    let mut progress = handle.spool.subscribe();
    loop {
        let (is_paused, spool) = (*paused.borrow_and_update(), handle.spool.snapshot());
        progress.mark_unchanged();
        if !is_paused && spool.epoch.is_some() && spool.damaged_at.is_none() && spool.failed.is_none() {
            return Some(());
        }
        let state = if is_paused {
            "paused"
        } else if spool.failed.is_some() {
            "failed"
        } else {
            "waiting"
        };
        handle.reporter.update(|s| s.state = state.into());
        tokio::select! {
            _ = paused.changed() => {}
            _ = progress.changed() => {}
            () = shutdown.cancelled() => return None,
        }
    }
}

async fn run_once(
    configured: &ConfiguredSource,
    handle: &Arc<SourceHandle>,
    policy: &Policy,
    masks: &Masks,
    shutdown: &CancellationToken,
) -> Ended {
    let Some(writer) = handle.spool.writer() else { return Ended::Asked };
    let epoch = writer.epoch();
    let stop = shutdown.child_token();
    handle.reporter.update(|s| {
        s.state = "connecting".into();
        s.problems.clear();
    });
    let config = configured.config.clone();
    let mine = masks.of(&handle.name);
    masks.begin(&handle.name, &mine);
    let run = config.run(policy.clone(), mine.clone(), writer, handle.reporter.clone(), handle.listen(), stop.clone());
    let mut task = tokio::spawn(run);
    let mut paused = handle.paused();
    let mut progress = handle.spool.subscribe();
    let ended = tokio::select! {
        ended = &mut task => Some(ended),
        _ = paused.wait_for(|p| *p) => None,
        _ = progress.wait_for(|p| p.epoch != epoch) => None,
        () = masks.differ(&handle.name, &mine) => None,
        () = stop.cancelled() => None,
    };
    stop.cancel();
    let ended = match ended {
        Some(ended) => ended,
        None => match tokio::time::timeout(STOP, &mut task).await {
            Ok(ended) => {
                if let Ok(Err(error)) = &ended {
                    tracing::debug!(source = handle.name, "while stopping: {error}");
                }
                return Ended::Asked;
            }
            Err(_) => {
                tracing::warn!(source = handle.name, "the source did not stop in time; it is cut off");
                task.abort();
                return Ended::Asked;
            }
        },
    };
    match ended {
        Ok(Ok(())) => Ended::Failed(SourceError::Problem(Problem {
            code: STOPPED.into(),
            message: "the source ended by itself; it is started again".into(),
            fix: None,
            fatal: false,
        })),
        Ok(Err(error)) => Ended::Failed(error),
        Err(panic) => Ended::Failed(SourceError::Problem(Problem {
            code: STOPPED.into(),
            message: format!("the source's task ended by a fault of ours: {panic}"),
            fix: None,
            fatal: false,
        })),
    }
}
