//! Folding events into the current image of each row.
//!
//! Streamed events apply in the order of the log. A row that a snapshot chunk read loses to a streamed event whose
//! transaction was not visible in the chunk's snapshot (the order of the log alone is wrong: a commit can be decoded
//! before it is visible), but still fills columns that no event carried (unchanged TOAST).

use super::samples::Cause;
use clarity_domain::time::Micros;
use clarity_store::record::Record;
use serde_json::{Map, Value};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What a query could see: `xmin:xmax:xip,…`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    xmin: u64,
    xmax: u64,
    running: HashSet<u64>,
}

impl Snapshot {
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let xmin = parts.next()?.parse().ok()?;
        let xmax = parts.next()?.parse().ok()?;
        let running = parts.next().unwrap_or_default().split(',').filter(|x| !x.is_empty());
        Some(Self { xmin, xmax, running: running.map(str::parse).collect::<Result<_, _>>().ok()? })
    }

    /// Whether a committed transaction's changes are in what the query read.
    pub fn sees(&self, xid: u64) -> bool {
        xid < self.xmin || (xid < self.xmax && !self.running.contains(&xid))
    }
}

/// What an event does to a key.
#[derive(Clone, Debug)]
pub enum Act {
    /// A streamed row; `absent` columns keep their values, for a changed key those of the old one.
    Put {
        image: Map<String, Value>,
        absent: Vec<String>,
        moved_from: Option<String>,
    },
    Remove,
    /// A row as a snapshot chunk read it.
    Read {
        image: Map<String, Value>,
        snapshot: Arc<Snapshot>,
    },
}

#[derive(Clone, Debug)]
pub struct Change {
    pub key: String,
    pub epoch: i32,
    pub seq: i64,
    pub xid: u64,
    pub at: Micros,
    pub act: Act,
}

/// The records of some keys, and which of them changed.
#[derive(Debug, Default)]
pub struct Fold {
    pub records: HashMap<String, Record>,
    pub changed: HashSet<String>,
    /// Transaction of the stream's last truncate; 0: none.
    pub truncated_xid: u64,
}

impl Fold {
    /// Applies one event. Applying it again changes nothing.
    pub fn apply(&mut self, change: Change) {
        let Change { key, epoch, seq, xid, at, act } = change;
        let current = self.records.get(&key);
        let is_old = current.is_some_and(|c| (c.epoch, c.seq) >= (epoch, seq));
        let next = match act {
            Act::Remove if is_old => None,
            Act::Remove => Some(Record { key, image: None, epoch, seq, xid, missing: Vec::new(), changed_at: at }),
            Act::Put { image, .. } if is_old => filled(current, image),
            Act::Put { mut image, absent, moved_from } => {
                let before = moved_from.and_then(|old| self.records.get(&old)).or(current);
                let mut missing = Vec::new();
                for column in absent {
                    match before.and_then(|b| b.image.as_ref()).and_then(|i| i.get(&column)) {
                        Some(value) => _ = image.insert(column, value.clone()),
                        None => missing.push(column),
                    }
                }
                Some(Record { key, image: Some(image), epoch, seq, xid, missing, changed_at: at })
            }
            Act::Read { snapshot, .. } if self.truncated_xid != 0 && !snapshot.sees(self.truncated_xid) => None,
            Act::Read { image, snapshot } => match current {
                Some(c) if c.xid != 0 && !snapshot.sees(c.xid) => filled(current, image),
                Some(_) if is_old => None,
                _ => Some(Record { key, image: Some(image), epoch, seq, xid: 0, missing: Vec::new(), changed_at: at }),
            },
        };
        if let Some(next) = next {
            self.changed.insert(next.key.clone());
            self.records.insert(next.key.clone(), next);
        }
    }

    /// Removes every row that is there; later events make new ones.
    pub fn truncate(&mut self, epoch: i32, seq: i64, xid: u64, at: Micros) {
        self.truncated_xid = xid;
        for record in self.records.values_mut() {
            if record.image.is_some() && (record.epoch, record.seq) < (epoch, seq) {
                record.image = None;
                record.missing.clear();
                (record.epoch, record.seq, record.xid, record.changed_at) = (epoch, seq, xid, at);
                self.changed.insert(record.key.clone());
            }
        }
    }
}

/// A record with the columns filled that it lacked; `None` when it lacks none of these.
fn filled(current: Option<&Record>, mut image: Map<String, Value>) -> Option<Record> {
    let current = current?;
    let lacking = current.missing.iter().any(|column| image.contains_key(column));
    let own = current.image.as_ref().filter(|_| lacking)?;
    let mut next = Record { image: None, ..current.clone() };
    let mut merged = own.clone();
    next.missing.retain(|column| match image.remove(column) {
        Some(value) => {
            merged.insert(column.clone(), value);
            false
        }
        None => true,
    });
    next.image = Some(merged);
    Some(next)
}

/// Why a snapshot's text is not one.
pub fn bad_snapshot() -> Cause {
    "the snapshot of the chunk that read this row cannot be read".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(text: &str) -> Map<String, Value> {
        serde_json::from_str(text).unwrap()
    }

    fn put(seq: i64, xid: u64, row: &str, absent: &[&str]) -> Change {
        let absent = absent.iter().map(|c| (*c).to_owned()).collect();
        let act = Act::Put { image: image(row), absent, moved_from: None };
        Change { key: "[1]".into(), epoch: 1, seq, xid, at: seq, act }
    }

    fn read(seq: i64, snapshot: &str, row: &str) -> Change {
        let act = Act::Read { image: image(row), snapshot: Arc::new(Snapshot::parse(snapshot).unwrap()) };
        Change { key: "[1]".into(), epoch: 1, seq, xid: 0, at: seq, act }
    }

    fn remove(seq: i64, xid: u64) -> Change {
        Change { key: "[1]".into(), epoch: 1, seq, xid, at: seq, act: Act::Remove }
    }

    fn folded(changes: Vec<Change>) -> Option<String> {
        let mut fold = Fold::default();
        changes.iter().cloned().for_each(|c| fold.apply(c));
        let once = fold.records.clone();
        // Again from the start: nothing may change.
        changes.into_iter().for_each(|c| fold.apply(c));
        assert_eq!(fold.records, once);
        once["[1]"].image.as_ref().map(|i| Value::Object(i.clone()).to_string())
    }

    #[test]
    fn visibility_decides_between_stream_and_snapshot() {
        let (new, old) = (r#"{"a":2}"#, r#"{"a":1}"#);
        for (what, changes, is) in [
            ("not visible: the stream wins", vec![put(1, 50, new, &[]), read(2, "40:50:", old)], Some(new)),
            ("running: the stream wins", vec![put(1, 50, new, &[]), read(2, "40:60:50", old)], Some(new)),
            ("visible: the chunk is newer", vec![put(1, 50, old, &[]), read(2, "60:60:", new)], Some(new)),
            ("deleted, not visible", vec![remove(1, 50), read(2, "40:50:", old)], None),
            ("deleted, visible, there again", vec![remove(1, 50), read(2, "60:60:", new)], Some(new)),
            ("streamed after the chunk", vec![read(1, "40:40:", old), put(2, 50, new, &[])], Some(new)),
            ("deleted after the chunk", vec![read(1, "40:40:", old), remove(2, 50)], None),
        ] {
            assert_eq!(folded(changes).as_deref(), is, "{what}");
        }
    }

    #[test]
    fn unchanged_toast_is_kept_or_filled() {
        let long = r#"{"a":2,"big":"x"}"#;
        for (what, changes) in [
            (
                "kept from the row before",
                vec![put(1, 10, r#"{"a":1,"big":"x"}"#, &[]), put(2, 11, r#"{"a":2}"#, &["big"])],
            ),
            ("kept from the chunk", vec![read(1, "5:5:", r#"{"a":1,"big":"x"}"#), put(2, 11, r#"{"a":2}"#, &["big"])]),
            (
                "filled by a beaten chunk",
                vec![put(1, 11, r#"{"a":2}"#, &["big"]), read(2, "5:5:", r#"{"a":1,"big":"x"}"#)],
            ),
        ] {
            assert_eq!(folded(changes).as_deref(), Some(long), "{what}");
        }
    }

    #[test]
    fn a_changed_key_takes_the_unchanged_columns_along() {
        let mut fold = Fold::default();
        fold.apply(put(1, 10, r#"{"id":1,"big":"x"}"#, &[]));
        fold.apply(Change {
            key: "[2]".into(),
            epoch: 1,
            seq: 2,
            xid: 11,
            at: 2,
            act: Act::Put { image: image(r#"{"id":2}"#), absent: vec!["big".into()], moved_from: Some("[1]".into()) },
        });
        assert_eq!(fold.records["[2]"].image, Some(image(r#"{"id":2,"big":"x"}"#)));
    }

    #[test]
    fn a_truncate_beats_chunks_that_could_not_see_it() {
        let mut fold = Fold::default();
        fold.apply(put(1, 10, r#"{"a":1}"#, &[]));
        fold.truncate(1, 2, 20, 2);
        fold.apply(read(3, "15:15:", r#"{"a":1}"#));
        assert_eq!(fold.records["[1]"].image, None);
        fold.apply(read(4, "30:30:", r#"{"a":5}"#));
        assert_eq!(fold.records["[1]"].image, Some(image(r#"{"a":5}"#)));
    }
}
