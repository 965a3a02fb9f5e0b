//! The spool: what was read and is not yet durable, on the agent's own disk.
//!
//! A source appends blocks of events through its [`SpoolWriter`]; each event gets the next sequence of the epoch. The
//! uplink reads synced records and says when they are durable. Nothing leaves the machine before it is synced, and
//! nothing is deleted before it is durable.

mod writer;

pub use writer::SpoolWriter;

use serde_json::Value;
use std::io;
use std::path::PathBuf;

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
    /// A sync failed. What the disk holds is unknown, so this spool takes nothing more in this process.
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
