//! The folded tables against the customer's tables as they are: every row, every column.

use std::pin::pin;

use anyhow::{Context, Result};
use futures::TryStreamExt;
use serde::Serialize;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::image::{Image, Known, canonical};
use super::table::Table;

const EXAMPLES: usize = 5;

/// A row or value that is not the same.
#[derive(Clone, Debug, Serialize)]
pub struct Difference {
    pub key: String,
    pub what: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub struct TableReport {
    pub table: String,
    pub rows: u64,
    pub streamed: u64,
    pub snapshot_rows: u64,
    /// In the customer's table, not in the fold.
    pub missing: u64,
    /// In the fold, not in the customer's table.
    pub extra: u64,
    /// Rows with at least one other value.
    pub different: u64,
    /// Rows of which bronze says that it does not hold all: too large, or unreadable.
    pub withheld: u64,
    /// Events that name no key: such a table is counted, not folded.
    pub unkeyed: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<Difference>,
}

impl TableReport {
    fn example(&mut self, key: &Image, what: impl FnOnce() -> String) {
        if self.examples.len() < EXAMPLES {
            let key: Vec<&str> = key
                .columns()
                .map_while(|c| match c {
                    Known::Text(text) => Some(text),
                    _ => None,
                })
                .collect();
            self.examples.push(Difference { key: key.join(", "), what: what() });
        }
    }
}

/// Compares one table. Takes the fold's rows out as it goes.
pub async fn compare(client: &Client, mut table: Table) -> Result<TableReport> {
    let mut report = TableReport {
        table: table.name.clone(),
        streamed: table.streamed,
        snapshot_rows: table.read,
        unkeyed: table.unkeyed,
        ..TableReport::default()
    };
    let names: Vec<String> = table.columns.iter().map(|c| quoted(&c.name)).collect();
    let (schema, name) = table.name.split_once('.').context("a stream's name is schema.table")?;
    let sql = format!("select {} from {}.{}", names.join(", "), quoted(schema), quoted(name));
    let reading = || format!("cannot read {}", table.name);
    let mut rows = pin!(client.simple_query_raw(&sql).await.with_context(reading)?);
    while let Some(message) = rows.try_next().await.with_context(reading)? {
        let SimpleQueryMessage::Row(row) = message else { continue };
        report.rows += 1;
        let texts = table.columns.iter().enumerate().map(|(i, c)| row.get(i).map(|text| canonical(text, c.number)));
        let texts: Vec<Option<String>> = texts.collect();
        let image = Image::of(texts.iter().map(|t| t.as_deref().map_or(Known::Null, Known::Text)));
        // Of a table without a key, rows cannot be told apart.
        let Some(key) = table.key_of(&image) else { continue };
        match table.rows.remove(&key).and_then(|entry| entry.image) {
            None => {
                report.missing += 1;
                report.example(&key, || "is not in bronze".into());
            }
            Some(ours) if ours == image => {}
            Some(ours) => differ(&table, &mut report, &key, &ours, &image),
        }
    }
    let left = table.rows.iter().filter_map(|(key, entry)| Some((key, entry.image.as_ref()?)));
    for (key, image) in left {
        if image.columns().take(table.columns.len()).any(|c| c == Known::Withheld) {
            report.withheld += 1;
            continue;
        }
        report.extra += 1;
        report.example(key, || "is in bronze, and not in the table".into());
    }
    Ok(report)
}

fn differ(table: &Table, report: &mut TableReport, key: &Image, ours: &Image, theirs: &Image) {
    let mut withheld = false;
    let mut first = None;
    for ((column, ours), theirs) in table.columns.iter().zip(ours.columns()).zip(theirs.columns()) {
        withheld |= ours == Known::Withheld;
        if ours != theirs && ours != Known::Withheld && first.is_none() {
            first = Some((column.name.clone(), shown(ours), shown(theirs)));
        }
    }
    report.withheld += u64::from(withheld);
    if let Some((column, ours, theirs)) = first {
        report.different += 1;
        report.example(key, || format!("{column} is {theirs}, in bronze {ours}"));
    }
}

fn shown(known: Known<'_>) -> String {
    match known {
        Known::Absent => "unknown".into(),
        Known::Null => "null".into(),
        Known::Withheld => "withheld".into(),
        Known::Text(text) if text.len() > 60 => {
            format!("{}… ({} bytes)", &text[..text.floor_char_boundary(60)], text.len())
        }
        Known::Text(text) => text.into(),
    }
}

pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
