//! The whole check: settle, read bronze, compare.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::Serialize;

use super::SESSION;
use super::bronze::{self, Sequences};
use super::changes::{self, Changes};
use super::compare::{TableReport, compare, quoted};
use super::fold::Fold;
use super::settle::{Settle, Settled};
use crate::cluster::connect;

/// What to check. Both connections are the superuser's.
#[derive(Clone, Debug)]
pub struct Check {
    pub platform_url: String,
    pub customer_url: String,
    /// The source's name; the only one when none is given.
    pub source: Option<String>,
    /// What [`super::write`] kept.
    pub ledger: Option<PathBuf>,
    pub settle: Settle,
}

#[derive(Debug, Serialize)]
pub struct Report {
    pub source: String,
    pub events: u64,
    pub heartbeats: u64,
    pub rows: u64,
    /// Rows and committed changes that bronze does not hold, and sequences that are in no segment and under no marker.
    pub lost: u64,
    /// Changes that bronze holds more than once.
    pub doubled: u64,
    /// Rows that differ or should not be there, changes that were never committed, a broken chain or order.
    pub mismatched: u64,
    pub disordered: u64,
    pub settled: Settled,
    pub sequences: Sequences,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<Changes>,
    pub tables: Vec<TableReport>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubled_examples: Vec<String>,
}

impl Report {
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.mismatched == 0
    }
}

/// Checks one source. What is still being written when it starts may be reported as lost: stop the writers before.
pub async fn check(check: &Check) -> Result<Report> {
    let platform = connect(&check.platform_url).await.context("the platform's database")?;
    let customer = connect(&check.customer_url).await.context("the customer's database")?;
    customer.batch_execute(SESSION).await?;
    let source = bronze::find(&platform, check.source.as_deref()).await?;
    let settled = check.settle.wait(&platform, &customer, &source).await?;

    let mut fold = Fold::default();
    let sequences = bronze::read(&platform, &source, &mut fold).await?;
    let ledger = match &check.ledger {
        Some(path) => Some(Changes::compare(&changes::read(path)?, &fold.ledger)),
        None => None,
    };
    customer.batch_execute("begin isolation level repeatable read read only").await?;
    let mut unheard = Vec::new();
    let published = "select distinct schemaname::text, tablename::text from pg_publication_tables
                     where pubname like 'clarity%' order by 1, 2";
    for row in customer.query(published, &[]).await? {
        let (schema, name): (String, String) = (row.get(0), row.get(1));
        let table = format!("{schema}.{name}");
        if !fold.tables.iter().any(|t| t.name == table) {
            let sql = format!("select count(*) from {}.{}", quoted(&schema), quoted(&name));
            let rows: i64 = customer.query_one(&sql, &[]).await?.get(0);
            let rows = rows.unsigned_abs();
            unheard.push(TableReport { table, rows, missing: rows, ..TableReport::default() });
        }
    }
    let mut tables = unheard;
    for table in std::mem::take(&mut fold.tables) {
        tables.push(compare(&customer, table).await?);
    }
    customer.batch_execute("commit").await?;

    let sum = |of: fn(&TableReport) -> u64| tables.iter().map(of).sum::<u64>();
    let of_ledger = |of: fn(&Changes) -> u64| ledger.as_ref().map_or(0, of);
    Ok(Report {
        source: source.name,
        events: fold.events,
        heartbeats: fold.heartbeats,
        rows: sum(|t| t.rows),
        lost: sum(|t| t.missing) + of_ledger(|l| l.lost) + sequences.holes,
        doubled: fold.doubled.max(of_ledger(|l| l.doubled)) + sequences.overlaps,
        mismatched: sum(|t| t.extra + t.different) + of_ledger(|l| l.invented) + sequences.wrong() + fold.disordered,
        disordered: fold.disordered,
        settled,
        sequences,
        ledger,
        tables,
        doubled_examples: fold.doubled_examples,
    })
}
