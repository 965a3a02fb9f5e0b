//! Changes of the ledger's table: those the writer committed, kept in a file, and those bronze holds.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result};
use clarity_wire::body::{Cell, Event, Op, StreamSchema};
use serde::{Deserialize, Serialize};

/// One change of one row. A line of the ledger file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Change {
    /// Transaction, 64 bit.
    #[serde(rename = "x")]
    pub xid: u64,
    /// `i`, `u` or `d`.
    #[serde(rename = "o")]
    pub op: char,
    /// Id of the row afterwards; of a deleted one, before.
    pub id: i64,
    /// 0 of a deleted one: its event carries the key alone.
    #[serde(rename = "v")]
    pub version: i64,
}

impl Change {
    pub fn of_event(event: &Event<'_>, schema: &StreamSchema) -> Option<Self> {
        let (op, cells) = match event.op {
            Op::Insert => ('i', &event.row),
            Op::Update => ('u', &event.row),
            Op::Delete => ('d', &event.old),
            _ => return None,
        };
        let cell = |name: &str| {
            let place = schema.columns.iter().position(|c| c.name == name)?;
            match cells.get(place)? {
                Cell::Int(i) => Some(*i),
                _ => None,
            }
        };
        let version = if op == 'd' { 0 } else { cell("version")? };
        Some(Self { xid: event.xid, op, id: cell("id")?, version })
    }
}

/// Committed changes against those in bronze.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    pub committed: u64,
    /// Committed, and not in bronze.
    pub lost: u64,
    /// In bronze more often than they were made.
    pub doubled: u64,
    /// In bronze, and never committed.
    pub invented: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
}

impl Changes {
    pub fn compare(committed: &[Change], bronze: &[Change]) -> Self {
        let mut balance: HashMap<Change, (i64, i64)> = HashMap::new();
        for change in committed {
            balance.entry(*change).or_default().0 += 1;
        }
        for change in bronze {
            balance.entry(*change).or_default().1 += 1;
        }
        let mut found = Self { committed: committed.len() as u64, ..Self::default() };
        for (change, (made, kept)) in balance {
            let difference = made.abs_diff(kept);
            let what = match (made, kept) {
                _ if made == kept => continue,
                (0, _) => {
                    found.invented += difference;
                    "never committed"
                }
                _ if kept < made => {
                    found.lost += difference;
                    "lost"
                }
                _ => {
                    found.doubled += difference;
                    "doubled"
                }
            };
            if found.examples.len() < 5 {
                let Change { xid, op, id, version } = change;
                found.examples.push(format!("{what}: {op} of {id} version {version} in transaction {xid}"));
            }
        }
        found
    }
}

/// Reads a ledger file.
pub fn read(path: &Path) -> Result<Vec<Change>> {
    let file = File::open(path).with_context(|| format!("cannot open the ledger {}", path.display()))?;
    let mut changes = Vec::new();
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line?;
        changes
            .push(serde_json::from_str(&line).with_context(|| format!("line {} of {}", number + 1, path.display()))?);
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(op: char, id: i64, version: i64) -> Change {
        Change { xid: 9, op, id, version }
    }

    #[test]
    fn every_kind_of_difference_is_counted() {
        let committed = [change('i', 1, 1), change('u', 1, 2), change('d', 2, 0), change('i', 3, 1)];
        assert_eq!(Changes::compare(&committed, &committed), Changes { committed: 4, ..Changes::default() });
        let bronze = [change('i', 1, 1), change('u', 1, 2), change('u', 1, 2), change('d', 2, 0), change('i', 4, 1)];
        let found = Changes::compare(&committed, &bronze);
        assert_eq!((found.lost, found.doubled, found.invented), (1, 1, 1));
        assert_eq!(found.examples.len(), 3);
    }
}
