//! What one server-sent event carries: only what changed since the last one.
//!
//! `GET /w/<slug>/live?…` with the page's query sends `event: overview` or `event: sources`, data a [`LiveUpdate`]; pages that
//! nothing moves on follow `event: frame`, which has only what the frame around every page has to know at once.
//! A client that reconnects gets a first update with everything that changed since its page was read, so applying
//! an update twice, or missing one before a reconnect, ends right.

use serde::{Deserialize, Serialize};

use super::{
    Freshness, Micros,
    overview::Kpis,
    set_up::Waiting,
    sources::{SourceRow, SourcesSummary},
};
use crate::{
    ids::{AssetId, SupportGrantId},
    state::StateCategory,
};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LiveUpdate {
    /// The server's clock.
    pub sent_at: Micros,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Freshness>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kpis: Option<Kpis>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<ValueChange>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<StateChange>,
    /// Buckets of the chart's metric: a bucket that is known already is replaced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<ChartPoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<SourcesSummary>,
    /// What a workspace without a machine waits for now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Box<Waiting>>,
    /// Whole rows of sources that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceRow>,
    /// By which the platform's support may read the workspace at this moment: a frame that says otherwise is read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub support: Option<Vec<SupportGrantId>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ValueChange {
    pub asset_id: AssetId,
    pub metric: String,
    pub value: Option<f64>,
    pub at: Micros,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateChange {
    pub asset_id: AssetId,
    pub state: StateCategory,
    pub label: Option<String>,
    pub reason: Option<String>,
    pub since: Micros,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChartPoint {
    pub metric: String,
    pub asset_id: AssetId,
    /// Start of the bucket, on the chart's grid.
    pub at: Micros,
    pub value: Option<f64>,
}
