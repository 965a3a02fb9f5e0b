//! Mapping: which column of a stream is the asset, the time, a metric, the state, the key.
//!
//! Inferred once from the schema and the first events, stored as data, edited by people, versioned with the sequence
//! from which it holds. Fields without a part in it go to extras.

mod columns;
mod infer;

pub use columns::{ColumnInfo, ColumnType, name_of, unit_of};
pub use infer::infer;

use serde::{Deserialize, Serialize};

/// What a stream is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamKind {
    /// Measurements: asset, time, and one column a metric (wide rows) or one row a metric (long rows).
    Telemetry,
    /// One row a state change: asset, time, state, reason.
    States,
    /// Anything else: the current image per key.
    Records,
    /// Records that describe the machines themselves.
    Assets,
}

/// The type a metric's samples have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SampleType {
    Float,
    Integer,
    Boolean,
    Text,
    Time,
}

impl SampleType {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Text => "text",
            Self::Time => "time",
        }
    }

    /// Reads a type as the database keeps it.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "float" => Self::Float,
            "integer" => Self::Integer,
            "boolean" => Self::Boolean,
            "text" => Self::Text,
            "time" => Self::Time,
            _ => return None,
        })
    }
}

/// A column that is measured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetricColumn {
    /// The column's name at the source.
    pub column: String,
    /// What people read: as inferred ([`name_of`]) until edited. No two of a stream are the same.
    pub name: String,
    /// As written beside a value, e.g. `°C`; empty when unknown.
    #[serde(default)]
    pub unit: String,
    pub sample_type: SampleType,
}

/// The columns of a state change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateColumns {
    pub state: String,
    #[serde(default)]
    pub reason: Option<String>,
}

/// How the rows of one stream are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappingSpec {
    pub kind: StreamKind,
    /// Columns of the source's key, in order; empty when it has none.
    pub key: Vec<String>,
    #[serde(default)]
    pub asset: Option<String>,
    #[serde(default)]
    pub time: Option<String>,
    #[serde(default)]
    pub metrics: Vec<MetricColumn>,
    /// Long rows: the column with the metric's name, the one with its value, and the one with its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    #[serde(default)]
    pub states: Option<StateColumns>,
    /// For `Assets`: columns with the machine's name, line, site and model, where known.
    #[serde(default)]
    pub asset_name: Option<String>,
    #[serde(default)]
    pub asset_line: Option<String>,
    #[serde(default)]
    pub asset_site: Option<String>,
    #[serde(default)]
    pub asset_model: Option<String>,
}
