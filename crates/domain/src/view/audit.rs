//! The audit log of a workspace: a page of it, and one entry in full.

use serde::{Deserialize, Serialize};

use super::Micros;
use crate::audit::{ActorKind, ChainReport, Outcome};

/// What the page asks for; all of it stands in the URL.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditQuery {
    #[serde(default)]
    pub filter: AuditFilter,
    /// The page of entries older than this one.
    pub before: Option<i64>,
    /// The page of entries newer than this one.
    pub after: Option<i64>,
    /// Show this entry in full.
    pub entry: Option<i64>,
    /// Check the whole chain.
    pub verify: bool,
}

/// Which entries; the export takes the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFilter {
    /// First and last day, as 2026-11-23, in the workspace's time zone.
    pub from: Option<String>,
    pub to: Option<String>,
    /// A part of who acted.
    pub actor: Option<String>,
    /// An act's key.
    pub act: Option<String>,
    pub outcome: Option<Outcome>,
    /// A part of the object, the address, the request id, or of what was before and after.
    pub text: Option<String>,
}

impl AuditFilter {
    /// As pairs of a query string, without what is not asked for.
    pub fn pairs(&self) -> Vec<(&'static str, &str)> {
        let outcome = self.outcome.map(Outcome::as_str);
        [
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("actor", self.actor.as_deref()),
            ("act", self.act.as_deref()),
            ("outcome", outcome),
            ("text", self.text.as_deref()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// From a query string's values. What is empty, or no outcome, is left out: a stale link still opens.
    pub fn from_query(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        Self {
            from: text("from"),
            to: text("to"),
            actor: text("actor"),
            act: text("act"),
            outcome: text("outcome").as_deref().and_then(Outcome::read),
            text: text("text"),
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditLog {
    pub as_of: Micros,
    /// IANA name of the zone in which the filter's days are.
    pub time_zone: String,
    /// Newest first.
    pub rows: Vec<AuditRow>,
    /// Where the pages beside this one begin, when there are any.
    pub older: Option<i64>,
    pub newer: Option<i64>,
    pub entry: Option<AuditEntry>,
    pub chain: Option<ChainReport>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    pub seq: i64,
    pub at: Micros,
    pub actor_kind: ActorKind,
    pub actor: String,
    /// The act's key: [`crate::audit::act_words`] has its words.
    pub act: String,
    pub object_kind: String,
    /// Its name, or its id where it has none.
    pub object: String,
    pub outcome: Outcome,
    pub address: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    pub row: AuditRow,
    pub actor_id: Option<String>,
    pub object_id: String,
    pub request_id: Option<String>,
    /// Field by field, in the order of their names.
    pub changes: Vec<AuditChange>,
    /// In hexadecimal.
    pub previous_hash: String,
    pub hash: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AuditChange {
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_comes_back_from_its_query() {
        let filter = AuditFilter {
            from: Some("2026-11-23".into()),
            act: Some("session.sign_in".into()),
            outcome: Some(Outcome::Refused),
            ..AuditFilter::default()
        };
        let pairs: Vec<(String, String)> =
            filter.pairs().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let get = |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        assert_eq!(AuditFilter::from_query(get), filter);
        let stale = AuditFilter::from_query(|name| (name == "outcome").then(|| "maybe".to_owned()));
        assert!(stale.is_empty() && AuditFilter::from_query(|_| Some("  ".into())).is_empty());
    }
}
