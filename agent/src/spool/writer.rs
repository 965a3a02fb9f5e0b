//! The source's end of the spool.

use super::{AppendedAt, Block, SpoolError, SpoolProgress};
use serde_json::Value;
use tokio::sync::watch;

/// One per source, a single owner.
pub struct SpoolWriter {
    progress: watch::Receiver<SpoolProgress>,
    next_seq: u64,
    position: Option<Value>,
    epoch: u32,
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
        let _ = block;
        Err(SpoolError::EpochClosed(self.epoch))
    }

    pub fn subscribe(&self) -> watch::Receiver<SpoolProgress> {
        self.progress.clone()
    }
}
