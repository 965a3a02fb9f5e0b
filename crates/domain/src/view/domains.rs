//! Domains of a workspace, with what each has to show in DNS and what was found there.

use serde::{Deserialize, Serialize};

use super::Micros;
use crate::{domains::DomainProblem, ids::DomainId};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceDomains {
    pub as_of: Micros,
    /// The viewer has shown of late that it is them, so that one can be added.
    pub confirmed: bool,
    /// By name.
    pub domains: Vec<WorkspaceDomain>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkspaceDomain {
    pub id: DomainId,
    /// In ASCII.
    pub domain: String,
    /// Name and value of the TXT record.
    pub record_name: String,
    pub record_value: String,
    pub added_at: Micros,
    /// Since when it counts as the workspace's own.
    pub verified_at: Option<Micros>,
    pub last_checked_at: Option<Micros>,
    /// Of the last check; none when the text was there.
    pub problem: Option<DomainProblem>,
    /// The other text that was found.
    pub found: Option<String>,
}
