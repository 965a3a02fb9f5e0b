//! Group commit: one sync at a time, for everything written since the last. And keeping house: the checkpoint, and
//! files that are no longer needed.

use super::segment::io_error;
use super::{Spool, SpoolError, blocking};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// How often the checkpoint follows what became durable. An older one is no loss: ingest's cursor says more, and the
/// records in between prove it.
const KEEP_HOUSE_EVERY: Duration = Duration::from_secs(2);
/// How soon a spool that was dropped is noticed.
const LOOK_UP_EVERY: Duration = Duration::from_millis(500);

/// Syncs what is written until the spool is dropped.
pub(super) async fn sync(spool: Weak<Spool>, written: Arc<Notify>) {
    loop {
        let waited = tokio::time::timeout(LOOK_UP_EVERY, written.notified()).await;
        let Some(spool) = spool.upgrade() else { return };
        if waited.is_ok() {
            let work = spool.clone();
            told(&spool, blocking(move || work.sync()).await);
        }
    }
}

/// Keeps house until the spool is dropped. Beside [`sync`], which nothing may hold up: live events wait for it.
pub(super) async fn keep_house(spool: Weak<Spool>) {
    loop {
        tokio::time::sleep(KEEP_HOUSE_EVERY).await;
        let Some(spool) = spool.upgrade() else { return };
        let work = spool.clone();
        told(&spool, blocking(move || work.keep_house(false)).await);
    }
}

fn told(spool: &Spool, done: Result<Result<(), SpoolError>, SpoolError>) {
    match done {
        Ok(Ok(())) | Ok(Err(SpoolError::Failed(_))) => {}
        Ok(Err(error)) | Err(error) => tracing::error!(source = spool.name, %error, "the spool could not be kept"),
    }
}

impl Spool {
    /// Syncs what is written, and the checkpoint: before the process ends.
    pub async fn settle(self: &Arc<Self>) -> Result<(), SpoolError> {
        let spool = self.clone();
        blocking(move || {
            spool.sync()?;
            spool.keep_house(true)
        })
        .await?
    }

    fn sync(&self) -> Result<(), SpoolError> {
        let (file, bytes, target, position, epoch) = {
            let pen = self.pen();
            let state = self.state();
            if state.failed.is_some() || state.next_seq == state.synced_next_seq {
                return Ok(());
            }
            let Some(pen) = pen.as_ref() else { return Ok(()) };
            let epoch = state.checkpoint.as_ref().map(|c| c.epoch);
            (pen.file.clone(), pen.bytes, state.next_seq, state.position.clone(), epoch)
        };
        let synced = file.sync_data();
        let mut pen = self.pen();
        if self.state().checkpoint.as_ref().map(|c| c.epoch) != epoch {
            return Ok(());
        }
        let ours = pen.as_mut().filter(|pen| Arc::ptr_eq(&pen.file, &file));
        if let Err(error) = synced {
            if let Some(pen) = ours {
                let _ = pen.file.set_len(pen.synced_bytes);
            }
            return Err(self.fail(&error.to_string()));
        }
        if let Some(pen) = ours {
            pen.synced_bytes = bytes;
        }
        let mut state = self.state();
        if state.failed.is_some() {
            return Ok(());
        }
        state.synced_next_seq = state.synced_next_seq.max(target);
        drop(state);
        // Still under the pen: a position of this epoch must not be told in the next one.
        self.progress.send_modify(|p| p.spooled_position = position);
        self.publish();
        drop(pen);
        Ok(())
    }

    fn keep_house(&self, finally: bool) -> Result<(), SpoolError> {
        let _house = self.house();
        let (checkpoint, dirty, old) = {
            let mut guard = self.state();
            let state = &mut *guard;
            let Some(checkpoint) = state.checkpoint.as_mut() else { return Ok(()) };
            let durable = checkpoint.durable_next_seq;
            let whole = state.segments.windows(2).take_while(|pair| pair[1].first_seq <= durable).count();
            let mut kept: u64 = state.segments[..whole].iter().map(|s| s.bytes).sum();
            let mut gone = 0;
            while gone < whole && kept - state.segments[gone].bytes >= self.limits.keep_bytes {
                kept -= state.segments[gone].bytes;
                gone += 1;
            }
            let old: Vec<_> = state.segments.drain(..gone).collect();
            let first = state.segments.first().map_or(u64::MAX, |s| s.first_seq);
            if gone > 0 {
                checkpoint.points.retain(|p| p.next_seq >= first);
            }
            (checkpoint.clone(), std::mem::take(&mut state.checkpoint_dirty), old)
        };
        if dirty || !old.is_empty() || finally {
            // What is removed must be known as durable after a power failure too.
            checkpoint.store(&self.folder)?;
        }
        for segment in old {
            std::fs::remove_file(&segment.path).map_err(io_error(&segment.path))?;
        }
        Ok(())
    }
}
