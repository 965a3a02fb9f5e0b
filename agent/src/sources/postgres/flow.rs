//! The way of blocks into the spool, and how much of it is on its way.
//!
//! Streamed blocks go first; a snapshot's wait. Compressing happens here, beside the task that reads.

use super::assemble::Draft;
use super::position::Position;
use crate::sources::SourceError;
use crate::spool::{Block, SpoolError, SpoolProgress, SpoolWriter};
use clarity_wire::body::{BodyWriter, Packer};
use clarity_wire::limits::MAX_BATCH_RATIO;
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

pub const ZSTD_LEVEL: i32 = 1;

/// What tasks of one source know of each other.
pub struct Flow {
    progress: watch::Receiver<SpoolProgress>,
    /// The stream has much to read.
    pub busy: AtomicBool,
    pub events: AtomicU64,
    /// Per appended block: the sequence after it, and its size.
    on_the_way: Mutex<VecDeque<(u64, u64)>>,
    /// After the last block; what is changed here is kept with the next one.
    pub position: watch::Sender<Position>,
}

impl Flow {
    pub fn new(progress: watch::Receiver<SpoolProgress>, position: Position) -> Self {
        Self {
            progress,
            busy: AtomicBool::new(false),
            events: AtomicU64::new(0),
            on_the_way: Mutex::new(VecDeque::new()),
            position: watch::Sender::new(position),
        }
    }

    pub fn progress(&self) -> watch::Receiver<SpoolProgress> {
        self.progress.clone()
    }

    /// Blocks that are not yet durable, and their bytes.
    pub fn undurable(&self) -> (usize, u64) {
        let durable = self.progress.borrow().durable_next_seq;
        let mut blocks = self.on_the_way.lock().unwrap_or_else(PoisonError::into_inner);
        while blocks.front().is_some_and(|(next, _)| *next <= durable) {
            blocks.pop_front();
        }
        (blocks.len(), blocks.iter().map(|(_, bytes)| bytes).sum())
    }

    fn appended(&self, next_seq: u64, bytes: u64, events: u32) {
        self.events.fetch_add(u64::from(events), Ordering::Relaxed);
        self.undurable();
        let mut blocks = self.on_the_way.lock().unwrap_or_else(PoisonError::into_inner);
        // A platform that is away for days must not make this list grow: sizes of what is far back are added up.
        if blocks.len() > 10_000
            && let Some((next, bytes)) = blocks.pop_front()
            && let Some(front) = blocks.front_mut()
        {
            *front = (front.0.max(next), front.1 + bytes);
        }
        blocks.push_back((next_seq, bytes));
    }
}

/// The block's body and its size before compression. Rows that are all alike shrink more than the protocol lets pass as
/// no bomb; such a body gets a zstd frame that decoders skip behind it.
pub fn compress(packer: &mut Packer, draft: &mut Draft) -> io::Result<(Vec<u8>, u32)> {
    let (mut body, raw_bytes) = packer.pack(&draft.header, &mut draft.writer)?;
    let least = raw_bytes as usize / MAX_BATCH_RATIO + 1;
    if body.len() < least {
        let padding = (least - body.len()) as u32;
        body.extend_from_slice(&0x184d_2a50_u32.to_le_bytes());
        body.extend_from_slice(&padding.to_le_bytes());
        body.resize(body.len() + padding as usize, 0);
    }
    Ok((body, raw_bytes))
}

/// Compresses and appends until both senders are gone.
pub async fn append(
    mut spool: SpoolWriter,
    mut stream: mpsc::Receiver<Draft>,
    mut snapshot: mpsc::Receiver<Draft>,
    used: mpsc::Sender<BodyWriter>,
    flow: &Flow,
) -> Result<(), SourceError> {
    let mut packer = Packer::new(ZSTD_LEVEL).map_err(|e| uncompressed(&e))?;
    loop {
        let mut draft = tokio::select! {
            biased;
            Some(draft) = stream.recv() => draft,
            Some(draft) = snapshot.recv() => draft,
            else => return Ok(()),
        };
        let count = draft.writer.events();
        let (body, raw_bytes) = compress(&mut packer, &mut draft).map_err(|e| uncompressed(&e))?;
        flow.position.send_modify(|position| position.apply(draft.step));
        let position = flow.position.borrow().to_value();
        let bytes = body.len() as u64;
        let block = Block { body, raw_bytes, count, position, last_commit_us: draft.last_commit_us };
        let at = spool.append(block).await?;
        flow.appended(at.next_seq, bytes, count);
        let _ = used.try_send(draft.writer);
    }
}

fn uncompressed(error: &io::Error) -> SpoolError {
    SpoolError::Failed(format!("a block could not be compressed: {error}"))
}
