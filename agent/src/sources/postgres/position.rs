//! Where reading stands, with the identity of what it points into. Stored with every block.
//!
//! Reading resumes at `safe_lsn`; transactions that come again are skipped up to `(commit_lsn, index)`. The database is
//! never told more than the `safe_lsn` of a position that is kept, so a slot that stands beyond it was moved by
//! somebody else.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// Moved rows kept of a table: each stands in the position of every block until it was read again.
const MOVED_KEPT: usize = 200;

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
    /// By `schema.table`, as long as its snapshot is under way.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moved: BTreeMap<String, Moved>,
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
    /// `last_key` of a table whose key is masked: never written down, so that a restart begins its snapshot anew.
    #[serde(skip)]
    pub held_key: Option<Vec<String>>,
}

impl TableProgress {
    /// Where the snapshot goes on.
    pub fn after(&self) -> Option<&[String]> {
        self.last_key.as_deref().or(self.held_key.as_deref())
    }
}

/// Rows that got another key by a change that left TOASTed values out, before their table's snapshot ended.
///
/// The chunk that is being read meanwhile has such values under the old key only, and comes after the change. So the
/// snapshot reads these rows again by their new keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moved {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<MovedRow>,
    /// More than are kept: the snapshot begins anew instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub too_many: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MovedRow {
    /// The new key, as text by column.
    pub key: BTreeMap<String, String>,
    /// The transaction that moved it, in 64 bits.
    pub xid: u64,
}

/// What a snapshot has done for [`Moved`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// So many of its first rows were read again.
    Rows(usize),
    /// It begins anew.
    Anew,
}

/// What a block adds to the position.
#[derive(Clone, Debug)]
pub enum Step {
    Stream(Cursor, Vec<(String, MovedRow)>),
    Table(String, TableProgress),
}

impl Position {
    pub fn apply(&mut self, step: Step) {
        match step {
            Step::Stream(cursor, moved) => {
                self.cursor = cursor;
                for (table, row) in moved {
                    self.note(table, row);
                }
            }
            Step::Table(name, progress) => {
                self.tables.insert(name, progress);
            }
        }
    }

    /// Rows of the table that wait to be read again.
    pub fn moved(&self, table: &str) -> Moved {
        self.moved.get(table).cloned().unwrap_or_default()
    }

    pub fn settle(&mut self, table: &str, settled: Settled) {
        let Some(moved) = self.moved.get_mut(table) else { return };
        match settled {
            Settled::Rows(count) => drop(moved.rows.drain(..count.min(moved.rows.len()))),
            Settled::Anew => moved.too_many = false,
        }
        if *moved == Moved::default() {
            self.moved.remove(table);
        }
    }

    fn note(&mut self, table: String, row: MovedRow) {
        // Once the snapshot's rows stand in the log, readers have all values under the old key.
        if self.tables.get(&table).is_some_and(|progress| progress.done) {
            return;
        }
        let moved = self.moved.entry(table).or_default();
        // A key that may not stand here finds no row.
        if moved.rows.len() < MOVED_KEPT && !moved.too_many && !row.key.is_empty() {
            moved.rows.push(row);
        } else {
            *moved = Moved { rows: Vec::new(), too_many: true };
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
        let cursor = Cursor { commit_lsn: u64::MAX - 1, index: 7, safe_lsn: 0x1234_5678_9ABC };
        position.apply(Step::Stream(cursor, vec![("public.t".into(), row(1))]));
        let progress = TableProgress {
            last_key: Some(vec!["1".into()]),
            key: vec!["id".into()],
            rows: 10,
            ..TableProgress::default()
        };
        position.apply(Step::Table("public.t".into(), progress));
        let value = position.to_value();
        assert_eq!(safe_lsn(&value), Some(0x1234_5678_9ABC));
        assert_eq!(serde_json::from_value::<Position>(value).unwrap(), position);
    }

    fn row(xid: u64) -> MovedRow {
        MovedRow { key: BTreeMap::from([("id".into(), xid.to_string())]), xid }
    }

    fn moving(xids: std::ops::Range<u64>) -> Step {
        Step::Stream(Cursor::default(), xids.map(|xid| ("public.t".to_owned(), row(xid))).collect())
    }

    #[test]
    fn moved_rows_wait_until_they_were_read_again() {
        let mut position = Position::default();
        position.apply(moving(0..3));
        position.settle("public.t", Settled::Rows(2));
        position.apply(moving(3..4));
        assert_eq!(position.moved("public.t").rows, [row(2), row(3)]);
        position.settle("public.t", Settled::Rows(2));
        position.apply(Step::Table("public.t".into(), TableProgress { done: true, ..TableProgress::default() }));
        position.apply(moving(4..5));
        assert_eq!(position.moved, BTreeMap::new(), "a finished snapshot needs none");
    }

    #[test]
    fn a_masked_key_stands_in_no_position() {
        let mut position = Position::default();
        let progress = TableProgress { held_key: Some(vec!["canary".into()]), rows: 10, ..TableProgress::default() };
        assert_eq!(progress.after(), Some(&["canary".to_owned()][..]));
        position.apply(Step::Table("public.t".into(), progress));
        position.apply(Step::Stream(
            Cursor::default(),
            vec![("public.t".into(), MovedRow { key: BTreeMap::new(), xid: 7 })],
        ));
        assert!(!position.to_value().to_string().contains("canary"));
        assert_eq!(position.moved("public.t"), Moved { rows: Vec::new(), too_many: true });
    }

    #[test]
    fn too_many_moved_rows_make_the_snapshot_begin_anew() {
        let mut position = Position::default();
        position.apply(moving(0..MOVED_KEPT as u64 + 1));
        assert_eq!(position.moved("public.t"), Moved { rows: Vec::new(), too_many: true });
        position.settle("public.t", Settled::Anew);
        position.apply(moving(7..8));
        assert_eq!(position.moved("public.t"), Moved { rows: vec![row(7)], too_many: false });
    }
}
