//! Where reading stands, with the identity of what it points into. Stored with every block.
//!
//! Reading resumes at `safe_lsn`; transactions that come again are skipped up to `(commit_lsn, index)`. The database is
//! never told more than the `safe_lsn` of a position that is kept, so a slot that stands beyond it was moved by
//! somebody else.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Of the cluster; a text, since it has 64 bits.
    pub system_identifier: String,
    pub slot: String,
    pub timeline: u32,
    #[serde(flatten)]
    pub cursor: Cursor,
    /// Those that were read from up to here; one that was made later joins only when reading has passed its making.
    #[serde(default)]
    pub publications: Vec<String>,
    /// Snapshot progress by `schema.table`.
    #[serde(default)]
    pub tables: BTreeMap<String, TableProgress>,
}

/// The streamed part of a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cursor {
    /// Commit LSN of the transaction of the last spooled event.
    pub commit_lsn: u64,
    /// Events of that transaction that are spooled.
    pub index: u64,
    /// End of the last transaction that is spooled entirely; what may be confirmed once this is kept.
    pub safe_lsn: u64,
}

/// How far a table's snapshot is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableProgress {
    /// The last row's key, as text, in the order of the key's columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_key: Option<Vec<String>>,
    /// The key's columns; another key means that the snapshot begins anew.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    pub rows: u64,
    pub done: bool,
}

/// What a block adds to the position.
#[derive(Clone, Debug)]
pub enum Step {
    Stream(Cursor),
    Table(String, TableProgress),
}

impl Position {
    pub fn apply(&mut self, step: Step) {
        match step {
            Step::Stream(cursor) => self.cursor = cursor,
            Step::Table(name, progress) => {
                self.tables.insert(name, progress);
            }
        }
    }

    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// `safe_lsn` of a stored position, without reading the rest of it.
pub fn safe_lsn(position: &Value) -> Option<u64> {
    position.get("safe_lsn")?.as_u64()
}

/// An LSN as Postgres writes it.
pub fn lsn_text(lsn: u64) -> String {
    pgwire_replication::Lsn(lsn).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_written() {
        let mut position = Position {
            system_identifier: "7433190212345678901".into(),
            slot: "clarity_plant".into(),
            timeline: 1,
            ..Position::default()
        };
        position.apply(Step::Stream(Cursor { commit_lsn: u64::MAX - 1, index: 7, safe_lsn: 0x1234_5678_9ABC }));
        let progress =
            TableProgress { last_key: Some(vec!["1".into()]), key: vec!["id".into()], rows: 10, done: false };
        position.apply(Step::Table("public.t".into(), progress));
        let value = position.to_value();
        assert_eq!(safe_lsn(&value), Some(0x1234_5678_9ABC));
        assert_eq!(serde_json::from_value::<Position>(value).unwrap(), position);
    }
}
