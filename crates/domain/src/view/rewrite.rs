//! The rewrite of history: whether one can begin, and how far the last one is.

use serde::{Deserialize, Serialize};

use super::Micros;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewriting {
    pub as_of: Micros,
    /// Policies at agents: what a rewrite would apply.
    pub policies: u32,
    /// A legal hold is open: nothing that is kept may be changed.
    pub held: bool,
    pub last: Option<RewriteRow>,
}

/// The rewrite that was asked for last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewriteRow {
    pub started_at: Micros,
    pub segments_done: u64,
    /// Not known before it has begun.
    pub segments_total: Option<u64>,
    pub values: u64,
    pub letters: u64,
    pub sources_done: u64,
    pub sources: u64,
    pub finished_at: Option<Micros>,
    /// Why it ended before its end.
    pub stopped: Option<String>,
}
