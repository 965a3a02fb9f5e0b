//! What the command palette finds in a workspace.

use serde::{Deserialize, Serialize};

use crate::ids::{AssetId, SourceId};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    pub target: SearchTarget,
    pub name: String,
    /// Line of an asset, version of a source.
    pub detail: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchTarget {
    Asset(AssetId),
    Source(SourceId),
    /// The page of the audit log, for those who may read it.
    Audit,
    /// The page of the set-up, for those who may do it.
    SetUp,
    /// The page of the members, for those who may manage them.
    Members,
    /// The page of the API tokens, for those who may manage them.
    Tokens,
}
