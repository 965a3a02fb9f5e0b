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
    /// The page of the dead letters, for those who may read them.
    DeadLetters,
    /// The page of the audit log, for those who may read it.
    Audit,
    /// The page of the set-up, for those who may do it.
    SetUp,
    /// The page of the members, for those who may manage them.
    Members,
    /// The page of the API tokens, for those who may manage them.
    Tokens,
    /// The page of how long what is kept, for those who may change it.
    Retention,
    /// The page of what is masked, for those who may change it.
    Masking,
    /// The page of the identity provider, for owners.
    Sso,
    /// The page of who of the platform's support asked, for those who may see it.
    Support,
    /// The page of the plan, for owners.
    Usage,
}
