//! One batch: hot chunks in, sealed ones out, together with sealed ones that they overlap or fill.

use super::policy::{BATCH_ROWS, SETTLED_S, SMALL_ROWS};
use anyhow::Context;
use clarity_domain::ids::StreamId;
use clarity_domain::time::{MINUTE, Micros};
use clarity_series::{Projection, Rows, SealedChunk, decode, encode_stats, merge, seal};
use clarity_store::chunk::{self, AssetSpan, NewChunk, StoredChunk};
use clarity_store::{WorkerStore, WorkspaceScope, compaction};
use std::ops::Range;
use tokio::task::spawn_blocking;
use uuid::Uuid;

/// Rows of an asset that stand further apart do not share a chunk, where there are enough of them on both sides. History
/// that several writers fill in at once comes so; a chunk across the hole would be written again with all that fills it.
const APART: Micros = 10 * MINUTE;

/// Seals a stream's oldest hot chunks. False when another compactor took them meanwhile, or none has settled.
pub(super) async fn batch(store: &WorkerStore, scope: &WorkspaceScope, stream: StreamId) -> anyhow::Result<bool> {
    let mut tx = store.begin(scope).await?;
    let hot = compaction::take_hot(&mut tx, stream, SETTLED_S, BATCH_ROWS).await?;
    if hot.is_empty() {
        return Ok(false);
    }
    let (ids, bodies): (Vec<Uuid>, Vec<Vec<u8>>) = hot.into_iter().unzip();
    let rows = spawn_blocking(move || merged(&bodies, None)).await??;
    let near = chunk::list_sealed_near(&mut tx, stream, &spans(&rows), SMALL_ROWS).await?;
    let near_ids: Vec<Uuid> = near.iter().map(|c| c.id).collect();
    let sealed = spawn_blocking(move || sealed(rows, &near)).await??;
    if !chunk::remove(&mut tx, false, &ids).await? || !chunk::remove(&mut tx, true, &near_ids).await? {
        tx.rollback().await?;
        return Ok(false);
    }
    let chunks = sealed.into_iter().map(stored).collect::<anyhow::Result<Vec<_>>>()?;
    tracing::debug!(hot = ids.len(), refilled = near_ids.len(), sealed = chunks.len(), "compacted");
    chunk::insert(&mut tx, stream, true, chunks).await?;
    tx.commit().await?;
    Ok(true)
}

fn merged(bodies: &[Vec<u8>], more: Option<Rows>) -> anyhow::Result<Rows> {
    let mut parts = Vec::with_capacity(bodies.len() + 1);
    for body in bodies {
        parts.push(decode(body, &Projection::all()).context("a chunk cannot be read")?);
    }
    parts.extend(more);
    Ok(merge(&parts).0)
}

/// Joins the rows with those of sealed chunks, and seals them.
fn sealed(rows: Rows, near: &[StoredChunk]) -> anyhow::Result<Vec<SealedChunk>> {
    let rows = if near.is_empty() {
        rows
    } else {
        let bodies: Vec<Vec<u8>> = near.iter().map(|c| c.body.clone()).collect();
        merged(&bodies, Some(rows))?
    };
    let mut sealed = Vec::new();
    for run in runs(&rows) {
        sealed.extend(seal(&rows.slice(run))?);
    }
    Ok(sealed)
}

/// First and last time of each run.
fn spans(rows: &Rows) -> Vec<AssetSpan> {
    let span = |run: Range<usize>| AssetSpan {
        asset_number: rows.asset[run.start] as i32,
        from: rows.at[run.start],
        to: rows.at[run.end - 1],
    };
    runs(rows).into_iter().map(span).collect()
}

/// The rows of each asset, cut where they stand [`APART`] and both sides fill a chunk. The rows ascend by asset and time.
fn runs(rows: &Rows) -> Vec<Range<usize>> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < rows.len() {
        let end = start + rows.asset[start..].partition_point(|asset| *asset == rows.asset[start]);
        for row in start + 1..end {
            let fills = (row - start).min(end - row) >= SMALL_ROWS as usize;
            if fills && rows.at[row] - rows.at[row - 1] > APART {
                runs.push(start..row);
                start = row;
            }
        }
        runs.push(start..end);
        start = end;
    }
    runs
}

fn stored(c: SealedChunk) -> anyhow::Result<NewChunk> {
    Ok(NewChunk {
        asset_number: c.asset as i32,
        asset_numbers: Vec::new(),
        from: c.stats.from,
        to: c.stats.to,
        row_count: i32::try_from(c.stats.rows)?,
        sample_count: i32::try_from(c.stats.samples)?,
        epoch: 0,
        first_seq: 0,
        stats: encode_stats(&c.stats),
        body: c.bytes,
    })
}
