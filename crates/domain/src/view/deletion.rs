//! The end of a workspace: what goes, when, and the certificate of what went.

use serde::{Deserialize, Serialize};

use super::Micros;

/// The page that asks for it, or takes it back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeletionPage {
    pub as_of: Micros,
    /// To be typed by whoever asks for it.
    pub name: String,
    pub kinds: Vec<KindThatGoes>,
    /// Between the request and the end.
    pub grace_s: u64,
    pub pending: Option<PendingDeletion>,
    /// A legal hold is open: the workspace cannot go.
    pub held: bool,
    /// The viewer has shown a moment ago that it is them: export and request need that.
    pub confirmed: bool,
}

/// A kind of what the workspace has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindThatGoes {
    pub name: String,
    /// None: too many to be counted while a page waits.
    pub count: Option<u64>,
    /// Where it is much.
    pub bytes: Option<u64>,
}

/// Asked for, and not done yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingDeletion {
    /// As they were shown then.
    pub requested_by: String,
    pub requested_at: Micros,
    pub due_at: Micros,
}

/// What was removed, of a workspace that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    pub name: String,
    pub workspace_id: String,
    pub requested_by: String,
    pub requested_at: Micros,
    pub due_at: Micros,
    /// All doors were closed, then the last row went.
    pub begun_at: Micros,
    pub finished_at: Micros,
    /// In hexadecimal, of the audit log's first and last entry.
    pub first_audit_hash: Option<String>,
    pub last_audit_hash: Option<String>,
    pub tables: Vec<ErasedTable>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErasedTable {
    /// With its schema.
    pub name: String,
    pub rows: u64,
    pub bytes: u64,
}

impl Certificate {
    /// Rows and bytes of all tables.
    pub fn total(&self) -> (u64, u64) {
        let rows = self.tables.iter().map(|table| table.rows).sum();
        (rows, self.tables.iter().map(|table| table.bytes).sum())
    }
}

impl ErasedTable {
    /// "bronze segments"
    pub fn words(&self) -> String {
        self.name.rsplit('.').next().unwrap_or_default().replace('_', " ")
    }
}

/// A time to wait, in the largest unit that says it whole.
pub fn wait_words(seconds: u64) -> String {
    let (count, unit) = match seconds {
        s if s >= 86_400 && s.is_multiple_of(86_400) => (s / 86_400, "day"),
        s if s >= 3_600 && s.is_multiple_of(3_600) => (s / 3_600, "hour"),
        s if s >= 60 && s.is_multiple_of(60) => (s / 60, "minute"),
        s => (s, "second"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_said_in_its_largest_unit() {
        let said = [2_592_000, 86_400, 7_200, 90, 60].map(wait_words);
        assert_eq!(said, ["30 days", "1 day", "2 hours", "90 seconds", "1 minute"]);
    }

    #[test]
    fn a_table_is_said_in_words() {
        let table = ErasedTable { name: "public.bronze_segments".into(), rows: 1, bytes: 2 };
        assert_eq!(table.words(), "bronze segments");
    }
}
