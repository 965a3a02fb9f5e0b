//! What is masked, where and for whom, and whether the agents do it yet.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Micros;
use crate::{
    ids::SourceId,
    masking::{MaskPlace, MaskRule},
    role::Role,
};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Masking {
    pub as_of: Micros,
    pub policies: Vec<MaskRow>,
    /// What could be masked, as it is known now.
    pub streams: Vec<MaskableStream>,
}

/// A policy in force.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaskRow {
    pub id: Uuid,
    /// Its name; `None`: every source.
    pub source: Option<String>,
    /// `*`: every stream.
    pub stream: String,
    pub field: String,
    pub rule: MaskRule,
    pub place: MaskPlace,
    /// Of a view: who still sees it in the clear.
    pub least_role: Option<Role>,
    pub created_by: String,
    pub created_at: Micros,
    /// Agents that said that they apply it, and those that have not yet. None of a view.
    pub applied: Vec<String>,
    pub waiting: Vec<String>,
}

/// A stream of a source and its fields; a source without streams has one without a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MaskableStream {
    pub source_id: SourceId,
    pub source: String,
    pub stream: Option<String>,
    pub fields: Vec<String>,
    /// What its rows name their metrics, where they do: masked in views alone.
    pub tags: Vec<String>,
}
