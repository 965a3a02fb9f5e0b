//! The spool: what was read and is not yet durable, on the agent's own disk.
//!
//! A source appends blocks of events through its [`SpoolWriter`]; each event gets the next sequence of the epoch. The
//! uplink reads synced records through a [`SpoolReader`] and says when they are durable. Nothing leaves the machine
//! before it is synced, and nothing is deleted before it is durable.
//!
//! One folder a source: segment files of records ([`record`]) and a [`checkpoint`]. Records are sealed under a key in
//! the agent's folder ([`key`]).

mod append;
pub mod checkpoint;
pub mod key;
mod marks;
mod open;
mod progress;
mod reader;
pub mod record;
mod ring;
mod segment;
mod sync;
mod verify;
mod writer;

pub use checkpoint::{Checkpoint, Opening};
pub use key::SpoolKey;
pub use progress::{Boundary, SpoolState};
pub use reader::SpoolReader;
pub use record::Record;
pub use verify::Verdict;
pub use writer::SpoolWriter;

use serde_json::Value;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// Bounds of one spool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes on disk that are not durable; `append` waits beyond.
    pub limit_bytes: u64,
    /// Age of the oldest event that is not durable; `append` waits beyond.
    pub limit_age: Duration,
    /// Durable bytes kept, so that a platform restored from a backup can be served again.
    pub keep_bytes: u64,
    /// Size at which a file is closed and the next begun.
    pub segment_bytes: u64,
    /// Newest records held in memory.
    pub memory_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            limit_bytes: 10 << 30,
            limit_age: Duration::from_secs(7 * 86_400),
            keep_bytes: 64 << 20,
            segment_bytes: 16 << 20,
            memory_bytes: 8 << 20,
        }
    }
}

/// A finished run of events, as a source hands it over.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Compressed lines, from `clarity_wire::body::BodyWriter::finish`.
    pub body: Vec<u8>,
    /// Size of the body before compression.
    pub raw_bytes: u32,
    /// Events in it, at least one.
    pub count: u32,
    /// The source's position after the last event.
    pub position: Value,
    /// Commit time at the source of the newest change in it, by the source's clock.
    pub last_commit_us: Option<i64>,
}

/// The sequences a block got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendedAt {
    pub epoch: u32,
    pub first_seq: u64,
    pub next_seq: u64,
}

/// How far a spool is. Everything before `spooled_next_seq` is synced, everything before `durable_next_seq` durable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpoolProgress {
    /// 0 until ingest has said which epoch a new spool is.
    pub epoch: u32,
    pub spooled_next_seq: u64,
    pub durable_next_seq: u64,
    /// Position after the last synced event; `None` before the first.
    pub spooled_position: Option<Value>,
    /// Position after the last durable event; `None` before the first.
    pub durable_position: Option<Value>,
}

/// Why the spool does not take or give a block.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The platform is at another place than this spool: a new epoch was opened. Stop; the supervisor starts the source
    /// again with the new epoch's position.
    #[error("epoch {0} of the spool is closed; the source starts again in the next one")]
    EpochClosed(u32),
    /// A write or sync failed. What the disk holds is unknown, so this spool takes nothing more in this process.
    #[error("the disk refused to keep the spool: {0}; check the disk, then restart the agent")]
    Failed(String),
    #[error("a block of {0} bytes is larger than a batch may be")]
    TooLarge(usize),
    #[error("a block needs at least one event")]
    Empty,
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("the spool's key cannot open this record: another key file, or the record was changed")]
    Sealed,
    #[error("event {0} of the spool is damaged on disk")]
    Damaged(u64),
}

/// One source's spool. Shared by its source (a writer), the uplink (a reader) and the supervisor.
pub struct Spool {
    name: String,
    folder: PathBuf,
    limits: Limits,
    key: SpoolKey,
    /// Never held across I/O.
    state: Mutex<State>,
    /// Held from the look at a checkpoint until its file is replaced, so that an older one never follows a newer one.
    /// Always taken before `pen`.
    house: Mutex<()>,
    /// Held while a record or an epoch is written. Always taken before `state`.
    pen: Mutex<Option<Pen>>,
    progress: watch::Sender<SpoolProgress>,
    /// Wakes the one that syncs.
    written: Arc<Notify>,
    /// Wakes the uplink.
    wake: Arc<Notify>,
}

/// The file that is written to.
struct Pen {
    file: Arc<File>,
    bytes: u64,
    /// Bytes up to the last sync.
    synced_bytes: u64,
}

struct State {
    /// `None` until ingest has said where a new or lost spool begins.
    checkpoint: Option<Checkpoint>,
    checkpoint_dirty: bool,
    segments: Vec<segment::Segment>,
    /// The sequence the next event gets.
    next_seq: u64,
    synced_next_seq: u64,
    /// After the last written event.
    position: Option<Value>,
    /// Where `durable_next_seq` stands: a file's first sequence and the offset in it.
    durable_at: (u64, u64),
    ring: ring::Ring,
    marks: marks::Marks,
    /// Sequence from which on the disk cannot be read; a new epoch follows when all before it is durable.
    damaged_at: Option<u64>,
    failed: Option<String>,
    /// `append` waits, and why.
    full: Option<String>,
    /// Writers of an earlier number are stale.
    writer: u64,
}

impl Spool {
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub fn subscribe(&self) -> watch::Receiver<SpoolProgress> {
        self.progress.subscribe()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn house(&self) -> MutexGuard<'_, ()> {
        self.house.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pen(&self) -> MutexGuard<'_, Option<Pen>> {
        self.pen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn context(&self, epoch: u32) -> record::Context {
        record::Context { key: self.key.clone(), source: self.name.clone(), epoch }
    }

    /// Tells everyone who waits how far the spool is now.
    fn publish(&self) {
        let (epoch, synced, durable, durable_position) = {
            let state = self.state();
            let checkpoint = state.checkpoint.clone().unwrap_or_default();
            (checkpoint.epoch, state.synced_next_seq, checkpoint.durable_next_seq, checkpoint.durable_position)
        };
        self.progress.send_modify(|p| {
            if p.epoch != epoch {
                p.spooled_position.clone_from(&durable_position);
            }
            p.epoch = epoch;
            p.spooled_next_seq = synced;
            p.durable_next_seq = durable;
            p.durable_position = durable_position;
        });
        self.wake.notify_one();
    }
}

/// Runs disk work beside the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, SpoolError> {
    tokio::task::spawn_blocking(work).await.map_err(|e| SpoolError::Failed(e.to_string()))
}

fn now_us() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX))
}
