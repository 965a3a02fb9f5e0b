//! The Overview page: figures, one chart, the state timeline and the assets.

use serde::{Deserialize, Serialize};

use super::{Freshness, Micros, range::TimeRange, set_up::Waiting};
use crate::{ids::AssetId, state::StateCategory};

/// What the page asks for; all of it stands in the URL.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct OverviewQuery {
    /// Without it, the last hour, or less where the workspace is younger ([`TimeRange::for_age`]).
    pub range: Option<TimeRange>,
    /// Metric of the chart; without it, the one most assets have.
    pub metric: Option<String>,
    /// Show this asset alone.
    pub asset: Option<AssetId>,
    /// Page of the asset table, from 0.
    pub page: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Overview {
    /// The server's clock at the read, and the end of a moving range.
    pub as_of: Micros,
    pub from: Micros,
    pub to: Micros,
    pub freshness: Freshness,
    pub kpis: Kpis,
    /// Metrics the chart can show, most widely reported first.
    pub metrics: Vec<MetricChoice>,
    /// `None` while no metric is known.
    pub chart: Option<Chart>,
    pub timeline: Vec<TimelineRow>,
    /// One page of assets, worst state first, then by name.
    pub assets: Vec<AssetRow>,
    pub assets_total: u32,
    pub assets_per_page: u32,
    /// What a workspace without a machine waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Box<Waiting>>,
    /// Recorded data of machines that are nobody's here, while the workspace has had no event: never mixed with its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<Box<Overview>>,
    /// How many of the four steps of the set-up are over, for those who may do the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_up: Option<u32>,
}

/// Only what is truly known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kpis {
    pub machines_running: u32,
    pub machines_total: u32,
    /// Share of the known time since the site's midnight in which machines were not down, 0 to 1.
    pub availability_today: Option<f64>,
    /// Sum over machines since the site's midnight.
    pub downtime_today_s: Option<i64>,
    pub events_per_s: Option<f64>,
    /// Events per minute of the last hour, oldest first; `None` where nothing is known.
    pub events_per_minute: Vec<Option<f64>>,
    /// The day so far in equal steps, oldest first, from the site's midnight or the first state that is known since.
    /// Empty while there are not two steps to draw; `None` where nothing is known. Machines running, on average.
    #[serde(default)]
    pub running_line: Vec<Option<f64>>,
    /// As `availability_today`, step by step.
    #[serde(default)]
    pub availability_line: Vec<Option<f64>>,
    /// Machines down, on average, step by step.
    #[serde(default)]
    pub down_line: Vec<Option<f64>>,
    /// Server's clock minus machine time of the newest sample.
    pub data_age_ms: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MetricChoice {
    pub name: String,
    pub unit: Option<String>,
    pub assets: u32,
}

/// One metric over time. All series share the grid: value `i` belongs to `[from + i·step, from + (i+1)·step)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chart {
    pub metric: String,
    pub unit: Option<String>,
    pub from: Micros,
    pub step_us: i64,
    /// At most six: the colours end there.
    pub series: Vec<Series>,
    /// How many assets report the metric; more than are drawn is said on the page.
    pub assets_total: u32,
    /// The workspace's masking hides its values from this role: there are no series.
    #[serde(default)]
    pub hidden: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub asset_id: AssetId,
    pub asset: String,
    /// Mean per bucket; `None` is a gap and stays one.
    pub values: Vec<Option<f64>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TimelineRow {
    pub asset_id: AssetId,
    pub asset: String,
    /// In order, not overlapping, cut to the page's range. Time without an interval is unknown and drawn empty.
    pub intervals: Vec<StateInterval>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StateInterval {
    pub from: Micros,
    /// `None`: still open.
    pub to: Option<Micros>,
    pub state: StateCategory,
    /// The customer's word for the state, when it is not ours.
    pub label: Option<String>,
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssetRow {
    pub id: AssetId,
    pub name: String,
    pub line: Option<String>,
    pub state: StateCategory,
    pub state_label: Option<String>,
    pub state_reason: Option<String>,
    pub state_since: Option<Micros>,
    /// The chart's metric first, then at most one more.
    pub latest: Vec<Latest>,
}

/// The last value of a metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latest {
    pub metric: String,
    pub unit: Option<String>,
    pub value: Option<f64>,
    pub at: Option<Micros>,
    /// There is one, and the workspace's masking hides it from this role.
    #[serde(default)]
    pub hidden: bool,
}
