//! The source's end of the spool.

use super::{AppendedAt, Block, Spool, SpoolError, SpoolProgress};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::watch;

/// One per source, a single owner. A new writer makes the one before it stale.
pub struct SpoolWriter {
    spool: Arc<Spool>,
    number: u64,
    epoch: u32,
    next_seq: u64,
    position: Option<Value>,
}

impl Spool {
    /// The source's end, at the place where the spool stands. `None` until the uplink has learned where a new or lost
    /// spool begins, and while a damaged one waits for its new epoch.
    pub fn writer(self: &Arc<Self>) -> Option<SpoolWriter> {
        let mut state = self.state();
        if state.damaged_at.is_some() || state.failed.is_some() {
            return None;
        }
        let epoch = state.checkpoint.as_ref()?.epoch;
        state.writer += 1;
        Some(SpoolWriter {
            spool: self.clone(),
            number: state.writer,
            epoch,
            next_seq: state.next_seq,
            position: state.position.clone(),
        })
    }
}

impl SpoolWriter {
    /// The epoch that this writer appends to.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The sequence that the next event gets.
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Position stored with the last block of this epoch, or what `Welcome` gave for a new epoch. `None` at the very
    /// first start.
    pub fn position(&self) -> Option<Value> {
        self.position.clone()
    }

    /// Appends one block: its events get `next_seq..`. Waits while the spool is at its bound, returns when written, not
    /// yet synced: [`Self::subscribe`] tells when. Not to be dropped half-way and called again with the same block.
    pub async fn append(&mut self, block: Block) -> Result<AppendedAt, SpoolError> {
        let position = block.position.clone();
        let at = self.spool.append(self.number, block).await?;
        self.next_seq = at.next_seq;
        self.position = Some(position);
        Ok(at)
    }

    pub fn subscribe(&self) -> watch::Receiver<SpoolProgress> {
        self.spool.subscribe()
    }
}
