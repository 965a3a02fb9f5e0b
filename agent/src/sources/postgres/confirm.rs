//! Tells the server what it may forget: the end of the last transaction that is kept, and nothing beyond.
//!
//! Runs beside the reader, so that the server hears from us also while the spool makes the reader wait.

use super::config::Confirm;
use super::position::safe_lsn;
use super::problems;
use super::walsender::StatusWriter;
use crate::sources::SourceError;
use crate::spool::SpoolProgress;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// At most so often when there is news, and at least so often when there is none.
const NEWS: Duration = Duration::from_millis(500);
const SILENCE: Duration = Duration::from_secs(10);

/// What the confirming task listens to.
pub struct Confirming {
    pub policy: Confirm,
    /// Past the log's budget: confirm what is spooled.
    pub over_budget: std::sync::Arc<AtomicBool>,
    /// The server asked for an answer.
    pub asked: std::sync::Arc<Notify>,
    pub progress: watch::Receiver<SpoolProgress>,
}

impl Confirming {
    /// The LSN that may be confirmed now.
    pub fn lsn(&mut self) -> u64 {
        let progress = self.progress.borrow_and_update();
        let spooled = self.policy == Confirm::Spooled || self.over_budget.load(Ordering::Relaxed);
        let position = if spooled { &progress.spooled_position } else { &progress.durable_position };
        position.as_ref().and_then(safe_lsn).unwrap_or(0)
    }
}

pub async fn confirm(
    mut writer: StatusWriter,
    mut source: Confirming,
    start: u64,
    shutdown: CancellationToken,
) -> Result<(), SourceError> {
    let mut confirmed = start;
    loop {
        let told = Instant::now();
        writer.confirm(confirmed, now_us()).await.map_err(problems::connection_lost)?;
        loop {
            tokio::select! {
                () = shutdown.cancelled() => {
                    confirmed = confirmed.max(source.lsn());
                    let _ = writer.confirm(confirmed, now_us()).await;
                    let _ = writer.done().await;
                    return Ok(());
                }
                () = source.asked.notified() => break,
                () = tokio::time::sleep_until(told + NEWS) => {
                    if source.lsn() > confirmed || told.elapsed() >= SILENCE {
                        break;
                    }
                    tokio::select! {
                        () = shutdown.cancelled() => {}
                        () = source.asked.notified() => break,
                        () = tokio::time::sleep_until(told + SILENCE) => break,
                        changed = source.progress.changed() => {
                            if changed.is_err() {
                                return Ok(());
                            }
                        }
                    }
                }
            }
        }
        // Never backwards: a position of before this session's start says nothing new.
        confirmed = confirmed.max(source.lsn());
    }
}

pub fn now_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_micros() as i64)
}
