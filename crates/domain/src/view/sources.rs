//! The Sources page and the page of one source.

use serde::{Deserialize, Serialize};

use super::{Freshness, Micros};
use crate::ids::{AgentId, SourceId, StreamId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sources {
    pub as_of: Micros,
    pub summary: SourcesSummary,
    /// Worst first.
    pub sources: Vec<SourceRow>,
    pub agents: Vec<AgentRow>,
    /// Those that were revoked, the last one first; at most a hundred.
    pub revoked: Vec<RevokedAgent>,
    /// Whether the viewer may revoke agents.
    pub may_manage: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SourcesSummary {
    pub events_per_s: Option<f64>,
    pub events_per_s_peak_today: Option<f64>,
    /// Receipt to commit in bronze, 99th percentile of the last minutes.
    pub durable_p99_ms: Option<f64>,
    pub spool_bytes: u64,
    pub spool_limit_bytes: u64,
    pub dead_letters: u64,
    pub dead_letter_causes: u32,
    pub dead_letter_oldest_at: Option<Micros>,
}

/// An installed connector. One without a source is paired and waits for its configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgentRow {
    pub id: AgentId,
    pub name: String,
    pub version: Option<String>,
    pub connected: bool,
    pub last_seen_at: Option<Micros>,
    pub sources: u32,
    pub key: AgentKeyState,
    pub key_replaced_at: Option<Micros>,
}

/// Whether an agent's key can be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgentKeyState {
    /// Not by the version that it last connected with, if it ever did.
    Fixed,
    Replaceable,
    /// A new one was asked for and has not come into use yet.
    Asked,
}

/// An agent that is out for good. What it sent stays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RevokedAgent {
    pub id: AgentId,
    pub name: String,
    pub revoked_at: Micros,
    pub sources: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// Configured, not heard of yet.
    Waiting,
    Connecting,
    /// Streaming, and reading what was there before.
    Snapshot,
    Streaming,
    Paused,
    /// Stopped by a problem that a person must solve.
    Stopped,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceRow {
    pub id: SourceId,
    pub name: String,
    /// The descriptor's name: "postgres".
    pub kind: String,
    /// For people: "PostgreSQL 15.10".
    pub version: String,
    pub agent_id: AgentId,
    pub agent: String,
    pub state: SourceState,
    pub freshness: Freshness,
    pub events_per_s: Option<f64>,
    /// The last hour, oldest first; `None` where nothing is known.
    pub events_per_minute: Vec<Option<f64>>,
    pub lag_ms: Option<i64>,
    /// What the source keeps of its log until we confirm.
    pub log_kept_bytes: Option<u64>,
    pub log_budget_bytes: Option<u64>,
    pub spool_bytes: u64,
    pub spool_limit_bytes: u64,
    pub last_event_at: Option<Micros>,
    /// Over all streams, while a snapshot runs.
    pub snapshot: Option<SnapshotProgress>,
    pub gaps: u32,
    /// What is wrong, in one sentence each; the source's page has the way out.
    pub problems: Vec<Problem>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SnapshotProgress {
    pub rows_done: u64,
    /// An estimate by the source; `None` when it gives none.
    pub rows_total: Option<u64>,
    pub started_at: Option<Micros>,
    pub finished_at: Option<Micros>,
    pub left_s: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceDetail {
    pub as_of: Micros,
    pub source: SourceRow,
    pub positions: Vec<PositionRow>,
    pub streams: Vec<StreamRow>,
    pub gaps: Vec<Gap>,
}

/// A point in the source's log: read, spooled, durable, refined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PositionRow {
    /// "Read", "Spooled", "Durable", "Refined".
    pub what: String,
    /// As the source writes it: "0/1A2B3C4D".
    pub position: Option<String>,
    pub epoch: Option<i64>,
    pub seq: Option<i64>,
    pub at: Option<Micros>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamRow {
    pub id: StreamId,
    /// "plant.telemetry".
    pub name: String,
    /// What its mapping makes of it: "Telemetry, 21 metrics", "States", "Records".
    pub mapped_as: Option<String>,
    pub events: u64,
    pub last_event_at: Option<Micros>,
    pub snapshot: Option<SnapshotProgress>,
    pub dead_letters: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Attention,
    Stopped,
}

/// Something a person has to do at the source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Stable: "wal_level", "missing_grant".
    pub code: String,
    pub severity: Severity,
    pub message: String,
    /// What to do, in words.
    pub fix: Option<String>,
    /// The exact statements, ready to copy.
    pub sql: Option<String>,
    pub since: Option<Micros>,
}

/// Events that will not come: a visible hole, with the reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    pub epoch: i64,
    pub from_seq: i64,
    pub to_seq: i64,
    pub why: String,
    pub noticed_at: Micros,
}
