//! Folds events into the table they came from, by the rules that readers of the log go by.
//!
//! A streamed change whose transaction the chunk's snapshot does not show beats the chunk's row; a beaten row still
//! fills what the change did not carry.

use super::harness::{Cell, Event};
use clarity_wire::body::Op;
use std::collections::BTreeMap;

pub type Row = BTreeMap<String, Option<String>>;

#[derive(Clone, Default)]
struct Key {
    /// The last streamed change: its transaction, and the row it left (None: deleted).
    streamed: Option<(u64, Option<BTreeMap<String, Cell>>)>,
    /// The newest chunk's row.
    read: Option<(String, BTreeMap<String, Cell>)>,
}

/// Whether a transaction is visible in `xmin:xmax:xip,…`.
pub fn visible(snapshot: &str, xid: u64) -> bool {
    let mut parts = snapshot.split(':');
    let xmin: u64 = parts.next().unwrap().parse().unwrap();
    let xmax: u64 = parts.next().unwrap().parse().unwrap();
    let running = parts.next().unwrap_or_default();
    xid < xmin || (xid < xmax && !running.split(',').any(|x| x.parse() == Ok(xid)))
}

fn named(event: &Event, cells: &[Cell]) -> BTreeMap<String, Cell> {
    let columns = &event.stream.as_ref().unwrap().columns;
    columns.iter().map(|c| c.name.clone()).zip(cells.iter().cloned()).collect()
}

fn key_of(event: &Event, cells: &[Cell]) -> Vec<Cell> {
    let columns = &event.stream.as_ref().unwrap().columns;
    columns.iter().zip(cells).filter(|(c, _)| c.key).map(|(_, v)| v.clone()).collect()
}

fn filled(newer: &BTreeMap<String, Cell>, older: Option<&BTreeMap<String, Cell>>) -> BTreeMap<String, Cell> {
    newer
        .iter()
        .map(|(name, cell)| match (cell, older.and_then(|o| o.get(name))) {
            (Cell::Absent, Some(old)) => (name.clone(), old.clone()),
            _ => (name.clone(), cell.clone()),
        })
        .collect()
}

/// The table's rows, ordered by key. Needs a primary key.
pub fn fold(events: &[Event], table: &str) -> Vec<Row> {
    let mut keys: BTreeMap<Vec<Cell>, Key> = BTreeMap::new();
    let mut truncated: Option<u64> = None;
    for event in events.iter().filter(|e| e.is_of(table)) {
        match event.op {
            Op::Read => {
                let snapshot = event.snapshot.clone().unwrap();
                keys.entry(key_of(event, &event.row)).or_default().read = Some((snapshot, named(event, &event.row)));
            }
            Op::Insert | Op::Update => {
                let new = key_of(event, &event.row);
                let mut before = keys.get(&new).and_then(|k| k.streamed.clone()).and_then(|(_, row)| row);
                if !event.old.is_empty() {
                    let old = key_of(event, &event.old);
                    if old != new {
                        let gone = keys.entry(old).or_default();
                        before = gone.streamed.take().and_then(|(_, row)| row);
                        // Unchanged TOAST of a row whose key changed: what the chunk read under the old key.
                        let read = gone.read.as_ref().map(|(_, row)| row.clone());
                        before = before.map_or(read.clone(), |b| Some(filled(&b, read.as_ref())));
                        gone.streamed = Some((event.xid, None));
                    }
                    let whole = event.stream.as_ref().unwrap().full_old_row;
                    if whole {
                        before = Some(named(event, &event.old));
                    }
                }
                let row = filled(&named(event, &event.row), before.as_ref());
                keys.entry(new).or_default().streamed = Some((event.xid, Some(row)));
            }
            Op::Delete => {
                keys.entry(key_of(event, &event.old)).or_default().streamed = Some((event.xid, None));
            }
            Op::Truncate => {
                truncated = Some(event.xid);
                for key in keys.values_mut() {
                    key.streamed = Some((event.xid, None));
                }
            }
            _ => {}
        }
    }
    let mut rows = Vec::new();
    for key in keys.values() {
        let row = match (&key.streamed, &key.read) {
            (Some((xid, row)), Some((snapshot, read))) if !visible(snapshot, *xid) => {
                row.as_ref().map(|row| filled(row, Some(read)))
            }
            (_, Some((snapshot, _))) if truncated.is_some_and(|xid| !visible(snapshot, xid)) => None,
            (_, Some((_, read))) => Some(read.clone()),
            (Some((_, row)), None) => row.clone(),
            (None, None) => None,
        };
        if let Some(row) = row {
            rows.push(row.into_iter().map(|(n, c)| (n, text(&c))).collect());
        }
    }
    rows.sort();
    rows
}

fn text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Absent => absent(),
        Cell::Null => None,
        Cell::Text(t) => Some(t.clone()),
    }
}

/// The text of a column that no event has carried.
pub fn absent() -> Option<String> {
    Some("⟨absent⟩".into())
}
