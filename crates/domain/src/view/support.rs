//! Access of our own support to a workspace: what its members see of it, and what our own people see.

use serde::{Deserialize, Serialize};

use super::{Micros, second_factor::Enrolment};
use crate::audit::Outcome;
use crate::ids::{OpsEventId, SupportGrantId};
use crate::support::OpsAct;

/// A workspace's page of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupportPage {
    pub as_of: Micros,
    /// Whether the viewer approves, refuses and ends.
    pub may_decide: bool,
    /// Wait for an owner, the oldest first.
    pub open: Vec<SupportRequest>,
    /// Let somebody in at this moment.
    pub live: Vec<SupportRequest>,
    /// What became of the others, the newest first; the last fifty.
    pub past: Vec<SupportRequest>,
}

/// A request with what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupportRequest {
    pub id: SupportGrantId,
    /// Who asked, as they were called then.
    pub name: String,
    pub email: String,
    pub reason: String,
    pub minutes: u32,
    pub requested_at: Micros,
    pub state: SupportState,
    /// An owner's name, or nobody's.
    pub decided_by: Option<String>,
    pub decided_at: Option<Micros>,
    /// From then on nobody is let in by it; when it was ended, if it was.
    pub ends_at: Option<Micros>,
    pub ended_by: Option<String>,
    pub looks: Vec<SupportLook>,
}

/// How it stands with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SupportState {
    Open,
    Live,
    Refused,
    /// Nobody decided within a day.
    Lapsed,
    /// Its time is over.
    Over,
    /// An owner ended it before its time.
    Ended,
}

/// What was read under a grant, as the audit log has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupportLook {
    /// "sources, dead letters"
    pub what: String,
    pub times: u32,
    pub last_at: Micros,
}

/// Somebody who may read the workspace at this moment, for the banner over its pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SupportNow {
    pub id: SupportGrantId,
    pub name: String,
    pub ends_at: Micros,
    /// Whether the viewer may end it.
    pub may_end: bool,
}

/// One of our own people, signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpsPerson {
    pub name: String,
    pub email: String,
}

/// The workspaces, with nothing of what is in them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpsWorkspaces {
    pub person: OpsPerson,
    /// By name; the first five hundred.
    pub workspaces: Vec<OpsWorkspaceRow>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpsWorkspaceRow {
    pub slug: String,
    pub name: String,
    /// As its members say it; empty: they did not.
    pub region: String,
    pub created_at: Micros,
    pub members: u32,
    /// Keys that are not revoked.
    pub agents: u32,
}

/// A workspace as our own people see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpsWorkspacePage {
    pub as_of: Micros,
    pub person: OpsPerson,
    pub workspace: OpsWorkspaceRow,
    /// The viewer's own requests, the newest first; the last ten.
    pub requests: Vec<OpsRequest>,
    /// Whether one of them lets the viewer in.
    pub live: bool,
}

/// A request of the viewer's own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpsRequest {
    pub id: SupportGrantId,
    pub reason: String,
    pub minutes: u32,
    pub requested_at: Micros,
    pub state: SupportState,
    pub decided_by: Option<String>,
    pub ends_at: Option<Micros>,
}

/// What a live grant shows. Reading it stands in the workspace's audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpsLook {
    pub as_of: Micros,
    pub grant: OpsGrant,
    pub agents: Vec<OpsAgentRow>,
    pub sources: Vec<OpsSourceRow>,
    /// Open ones by cause, most letters first; at most a hundred.
    pub dead_letters: Vec<OpsDeadLetterRow>,
}

/// What lets the viewer in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpsGrant {
    pub id: SupportGrantId,
    pub approved_by: String,
    pub ends_at: Micros,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpsAgentRow {
    pub name: String,
    pub version: String,
    pub connected: bool,
    pub seen_at: Option<Micros>,
    /// What it was told that it must not ignore.
    pub denied: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpsSourceRow {
    pub name: String,
    pub kind: String,
    pub product: String,
    pub agent: String,
    pub paused: bool,
    /// The agent's word for it: "streaming"; empty before it said one.
    pub state: String,
    pub status_at: Option<Micros>,
    pub streams: u32,
    pub durable_events: u64,
    pub durable_at: Option<Micros>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpsDeadLetterRow {
    pub source: String,
    pub stream: String,
    pub cause: String,
    pub count: u64,
    pub newest_at: Micros,
}

/// What the page of an enrolment's link shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpsEnrolment {
    pub person: OpsPerson,
    pub app: Enrolment,
}

/// What the page of our own people's acts asks for; all of it stands in the URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpsEventQuery {
    #[serde(default)]
    pub filter: OpsEventFilter,
    /// The page of entries older than this one.
    pub before: Option<OpsEventId>,
    /// The page of entries newer than this one.
    pub after: Option<OpsEventId>,
}

/// Which entries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpsEventFilter {
    /// A part of a name or an e-mail address.
    pub person: Option<String>,
    pub act: Option<OpsAct>,
    pub outcome: Option<Outcome>,
}

impl OpsEventFilter {
    /// As pairs of a query string, without what is not asked for.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        [
            ("person", self.person.as_deref()),
            ("act", self.act.map(OpsAct::as_str)),
            ("outcome", self.outcome.map(Outcome::as_str)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// From a query string's values. What is empty, no act or no outcome is left out: a stale link still opens.
    pub fn from_query(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        Self {
            person: text("person"),
            act: text("act").as_deref().and_then(OpsAct::read),
            outcome: text("outcome").as_deref().and_then(Outcome::read),
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What our own people did at their own doors: a page of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpsEvents {
    pub person: OpsPerson,
    /// Newest first.
    pub rows: Vec<OpsEventRow>,
    /// Where the pages beside this one begin, when there are any.
    pub older: Option<OpsEventId>,
    pub newer: Option<OpsEventId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpsEventRow {
    pub id: OpsEventId,
    pub at: Micros,
    /// Nobody for an address or a link that is none of ours.
    pub who: Option<OpsPerson>,
    pub act: OpsAct,
    pub outcome: Outcome,
    /// Empty for an operator's command.
    pub address: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_comes_back_from_its_query() {
        let filter =
            OpsEventFilter { person: Some("anna".into()), act: Some(OpsAct::SignIn), outcome: Some(Outcome::Refused) };
        let pairs = filter.pairs();
        let get = |name: &str| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        assert_eq!(OpsEventFilter::from_query(get), filter);
        let stale = OpsEventFilter::from_query(|name| (name == "act").then(|| "looked".to_owned()));
        assert!(stale.is_empty() && OpsEventFilter::from_query(|_| Some("  ".into())).is_empty());
    }
}
