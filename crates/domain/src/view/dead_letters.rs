//! Events that could not be refined, grouped by cause.

use serde::{Deserialize, Serialize};

use super::Micros;
use crate::ids::{SourceId, StreamId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetters {
    pub as_of: Micros,
    pub total: u64,
    /// Most letters first; at most 100 groups, `groups_total` says how many there are.
    pub groups: Vec<DeadLetterGroup>,
    pub groups_total: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetterGroup {
    /// Same cause, same fingerprint.
    pub fingerprint: String,
    pub cause: String,
    pub source_id: SourceId,
    pub source: String,
    pub stream_id: StreamId,
    pub stream: String,
    pub count: u64,
    pub oldest_at: Micros,
    pub newest_at: Micros,
    /// A few of them, newest first.
    pub samples: Vec<DeadLetterSample>,
    /// The replay that runs, or the last one that ended.
    pub replay: Option<ReplayProgress>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeadLetterSample {
    /// As it came, cut after 2 kB.
    pub payload: String,
    pub truncated: bool,
    /// Lineage: where it stands in bronze.
    pub epoch: i64,
    pub seq: i64,
    pub received_at: Micros,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplayProgress {
    pub total: u64,
    pub landed: u64,
    pub failed: u64,
    pub started_at: Micros,
    pub finished_at: Option<Micros>,
}
