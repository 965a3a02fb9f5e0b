//! What outlives a restart beside the records: the epoch, how far it is durable, and hashes to compare with ingest.
//!
//! Replaced by rename. It may be older than the truth after a power failure: ingest's cursor then says more, and the
//! records in between prove that it is the same spool.

use super::SpoolError;
use clarity_wire::hash::BatchHash;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

const NAME: &str = "checkpoint.json";

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    pub epoch: u32,
    /// Everything before is durable.
    pub durable_next_seq: u64,
    pub durable_hash: BatchHash,
    pub durable_position: Option<Value>,
    /// Known hashes before a sequence, ascending: one at the start of each file that is durable so far.
    pub points: Vec<Point>,
    /// Set until ingest has confirmed that the epoch is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unannounced: Option<Opening>,
    /// A person paused the source; holds while the platform is out of reach.
    #[serde(default)]
    pub paused: bool,
}

/// Hash of the batch before `next_seq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    pub next_seq: u64,
    pub hash: BatchHash,
}

/// Why an epoch was opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub reason: String,
    pub gap: bool,
}

impl Checkpoint {
    pub fn new(epoch: u32, position: Option<Value>, opening: Option<Opening>) -> Self {
        Self {
            epoch,
            durable_next_seq: 1,
            durable_hash: BatchHash::ZERO,
            durable_position: position,
            points: vec![Point { next_seq: 1, hash: BatchHash::ZERO }],
            unannounced: opening,
            paused: false,
        }
    }

    /// `None` where there is none, or none that can be read: both mean that the spool is lost.
    pub fn load(folder: &Path) -> Result<Option<Self>, SpoolError> {
        let path = folder.join(NAME);
        match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(checkpoint) => Ok(Some(checkpoint)),
                Err(error) => {
                    tracing::error!(path = %path.display(), %error, "the spool's checkpoint cannot be read");
                    Ok(None)
                }
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SpoolError::Io { path, source }),
        }
    }

    /// Replaces the file, synced: one that a power failure left empty would read as a lost spool.
    pub fn store(&self, folder: &Path) -> Result<(), SpoolError> {
        let path = folder.join(NAME);
        replace(&path, &serde_json::to_vec(self).unwrap_or_default(), true)
            .map_err(|source| SpoolError::Io { path, source })
    }
}

/// Writes a file of mode 0600 beside the path and renames it there. With `sync` it survives a power failure.
pub fn replace(path: &Path, bytes: &[u8], sync: bool) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(bytes)?;
    if sync {
        file.sync_all()?;
    }
    fs::rename(&beside, path)?;
    if let (true, Some(folder)) = (sync, path.parent()) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
