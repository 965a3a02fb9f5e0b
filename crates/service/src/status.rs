//! The agent's word on a source, as ingest keeps it (`wire::frame::SourceStatus`): only the parts that pages show.
//! What is missing or unknown stays empty: an older or newer agent must not break a page.

use clarity_domain::view::Micros;
use clarity_domain::view::sources::{Problem, Severity};
use serde::Deserialize;
use serde_json::Value;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub state: String,
    pub problems: Vec<StatusProblem>,
    pub product: String,
    pub lag_bytes: Option<u64>,
    pub spool_bytes: u64,
    pub spool_limit_bytes: u64,
    pub snapshot: Vec<StreamSnapshot>,
    pub source_clock_skew_us: i64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StatusProblem {
    pub code: String,
    pub message: String,
    pub fix: Option<String>,
    pub fatal: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct StreamSnapshot {
    pub stream: String,
    pub rows_done: u64,
    pub rows_estimated: Option<u64>,
    pub done: bool,
}

pub(crate) fn read(status: &Value) -> Status {
    Status::deserialize(status).unwrap_or_default()
}

impl StatusProblem {
    /// A fix that is a statement is shown as one to copy.
    pub(crate) fn show(self, since: Option<Micros>) -> Problem {
        let (sql, fix) = match self.fix {
            Some(fix) if is_sql(&fix) => (Some(fix), None),
            other => (None, other),
        };
        let severity = if self.fatal { Severity::Stopped } else { Severity::Attention };
        Problem { code: self.code, severity, message: self.message, fix, sql, since }
    }
}

/// Whether a fix is a statement rather than a sentence.
fn is_sql(fix: &str) -> bool {
    const STARTS: [&str; 7] = ["alter ", "create ", "grant ", "select ", "drop ", "set ", "revoke "];
    let fix = fix.trim_start().to_lowercase();
    STARTS.iter().any(|start| fix.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_unknown_shape_is_an_empty_status() {
        assert_eq!(read(&json!({})).state, "");
        assert_eq!(read(&json!([1])).state, "");
        assert_eq!(read(&json!({ "state": "streaming", "new_field": 1, "spool_bytes": 7 })).spool_bytes, 7);
    }

    #[test]
    fn a_statement_is_shown_to_be_copied() {
        let problem = |fix: &str| StatusProblem { fix: Some(fix.into()), ..StatusProblem::default() }.show(None);
        assert_eq!(problem("ALTER ROLE x REPLICATION;").sql.as_deref(), Some("ALTER ROLE x REPLICATION;"));
        assert_eq!(problem("Ask your network's people.").sql, None);
        assert_eq!(problem("Ask your network's people.").fix.as_deref(), Some("Ask your network's people."));
    }
}
