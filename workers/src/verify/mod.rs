//! Verify: do the read models hold what bronze says? Bronze is refined again in memory, in a transaction that sees one
//! moment, and what comes out is compared with what stands in the tables: decoded values per asset, field and day,
//! images of rows, states with their ends, newest values, letters, and the buckets that no mark calls dirty.

mod compare;
mod days;
mod differences;
mod kept;
mod recompute;

use crate::audit;
use crate::context::WorkerContext;
use anyhow::Context;
use clarity_domain::audit::Act;
use clarity_store::{head, retention};
pub use differences::Differences;
use kept::Kept;
use serde::Serialize;
use std::path::Path;

/// What was compared and what differed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub streams: u64,
    /// Rows of samples and records.
    pub rows: u64,
    pub samples: u64,
    pub records: u64,
    pub intervals: u64,
    pub buckets: u64,
    /// Sources of which nothing can be said, since retention removed the beginning of their bronze.
    pub not_compared: u64,
    /// Cells, records, intervals, newest values, letters and buckets that differ.
    pub mismatched: u64,
}

/// `verify`: prints what differs, and the figures as JSON to a file when asked.
///
/// # Errors
/// When something differs.
pub async fn run_command(ctx: &WorkerContext, slug: &str, json: Option<&Path>) -> anyhow::Result<()> {
    let mut tx = ctx.system.begin().await?;
    let found = head::list_of_workspace(&mut tx, slug).await;
    let (scope, _) = found.with_context(|| format!("there is no workspace {slug}"))?;
    tx.commit().await?;
    audit::record(ctx, &scope, "verify", Act::Verify).await?;
    let (report, differences) = verify(ctx, slug).await?;
    for line in differences.lines() {
        println!("{line}");
    }
    if report.not_compared > 0 {
        println!("{} sources were not compared: retention removed the beginning of their bronze", report.not_compared);
    }
    let text = serde_json::to_string(&report)?;
    println!("{text}");
    if let Some(path) = json {
        std::fs::write(path, format!("{text}\n")).with_context(|| format!("cannot write {}", path.display()))?;
    }
    anyhow::ensure!(report.mismatched == 0, "{} differences between bronze and the read models", report.mismatched);
    Ok(())
}

/// Compares a workspace's read models with bronze.
pub async fn verify(ctx: &WorkerContext, slug: &str) -> anyhow::Result<(Report, Differences)> {
    let mut tx = ctx.system.begin().await?;
    let found = head::list_of_workspace(&mut tx, slug).await;
    let (scope, heads) = found.with_context(|| format!("there is no workspace {slug}"))?;
    tx.commit().await?;
    let mut tx = ctx.worker.begin_read(&scope).await?;
    let (mut report, mut differences) = (Report::default(), Differences::default());
    let mut said = Vec::new();
    let kept = Kept::read(&mut tx).await?;
    for head in heads {
        if let Some(cut) = retention::find_bronze_cut(&mut tx, head.source_id).await? {
            // What the models follow from is gone: nothing can be said of this source.
            tracing::warn!(source = %head.source_id, epoch = cut.epoch, seq = cut.seq, "not compared: retention removed the beginning of bronze");
            report.not_compared += 1;
            continue;
        }
        let expected = recompute::source(&mut tx, head.source_id).await?;
        compare::source(&mut tx, head.source_id, expected, &kept, &mut said, &mut report, &mut differences).await?;
    }
    // Where a state ends follows from all sources together.
    if report.not_compared == 0 && !kept.states_cut {
        compare::states(&mut tx, said, &mut report, &mut differences).await?;
    }
    report.mismatched = differences.count();
    Ok((report, differences))
}
