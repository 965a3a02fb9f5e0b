//! Writing what a group of segments changes, in the transaction that moves the cursor. Every write has a natural key, so
//! the same group written again changes nothing.

use super::decode::{Decoded, StreamBatch};
use super::derive;
use super::prepare::{PreparedSamples, merge_latest};
use super::record::Fold;
use clarity_domain::ids::SourceId;
use clarity_domain::mapping::StreamKind;
use clarity_store::chunk::Latest;
use clarity_store::refine::cursor::{Advance, MinuteCount};
use clarity_store::stream::Progress;
use clarity_store::{StoreError, WorkspaceTx, chunk, dead_letter, extras, record, refine, rollup, state, stream};
use std::collections::{HashMap, HashSet};

/// A group that is ready to be written.
pub struct Group {
    pub decoded: Decoded,
    pub samples: Vec<PreparedSamples>,
    pub mode: Mode,
}

/// On what occasion a group is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The next events of the log.
    Live,
    /// Single events under sequences from before. The cursor stays, letters are the caller's.
    Replay,
    /// All events again, into models that were emptied. The cursor stays, what was counted is not counted again.
    Rebuild,
}

/// Writes a group. The cursor must be locked, and stand where the group begins.
pub async fn write(tx: &mut WorkspaceTx, source: SourceId, group: Group) -> Result<(), StoreError> {
    let Group { decoded, samples, mode } = group;
    for s in samples {
        write_samples(tx, s, mode).await?;
    }
    let mut progress = Vec::with_capacity(decoded.streams.len());
    for mut batch in decoded.streams {
        let mut own = std::mem::take(&mut batch.progress);
        if mode != Mode::Live {
            own = Progress { truncated_xid: own.truncated_xid, ..Progress::default() };
        }
        progress.push((batch.id(), own));
        if batch.truncate.is_some() || !batch.changes.is_empty() {
            write_records(tx, batch).await?;
        }
    }
    progress.sort_unstable_by_key(|p| p.0);
    if mode != Mode::Replay {
        dead_letter::insert(tx, source, &decoded.dead).await?;
        stream::progress(tx, &progress).await?;
    }
    if mode != Mode::Live {
        return Ok(());
    }
    let now = clarity_runtime::clock::now_us();
    let slowest = decoded.oldest_change_at.map_or(0, |at| ((now - at) / 1000).clamp(0, i64::from(i32::MAX)) as i32);
    let minutes: Vec<MinuteCount> = decoded.minutes.iter().map(|m| MinuteCount { slowest_ms: slowest, ..*m }).collect();
    if !minutes.is_empty() {
        refine::cursor::count_minutes(tx, source, &minutes).await?;
    }
    let advance = Advance {
        to: Some(decoded.to),
        events: decoded.events,
        path_source_at: decoded.path_source_at,
        change_source_at: decoded.change_source_at,
    };
    refine::cursor::advance(tx, source, &advance).await
}

async fn write_samples(tx: &mut WorkspaceTx, samples: PreparedSamples, mode: Mode) -> Result<(), StoreError> {
    let PreparedSamples { stream, chunks, latest, mut marks, seen } = samples;
    let newest = latest.iter().map(|l| l.at).max().unwrap_or_default();
    chunk::insert(tx, stream, false, chunks).await?;
    let assets: Vec<i32> = latest.iter().map(|l| l.asset_number).collect();
    let known = chunk::latest_of(tx, stream, &assets).await?;
    let known: HashMap<i32, &Latest> = known.iter().map(|l| (l.asset_number, l)).collect();
    let merged: Vec<Latest> = latest
        .into_iter()
        .map(|l| merge_latest(known.get(&l.asset_number).copied(), l, mode == Mode::Replay))
        .collect();
    chunk::write_latest(tx, stream, &merged).await?;
    rollup::mark(tx, stream, &mut marks).await?;
    extras::count_paths(tx, stream, &seen, newest).await
}

async fn write_records(tx: &mut WorkspaceTx, batch: StreamBatch) -> Result<(), StoreError> {
    let id = batch.id();
    if let Some((epoch, seq, xid, at)) = batch.truncate {
        record::truncate(tx, id, epoch, seq, xid, at).await?;
        state::clear(tx, id).await?;
        extras::clear(tx, id).await?;
    }
    let Some(layout) = batch.layout.filter(|_| !batch.changes.is_empty()) else { return Ok(()) };
    let mut keys: Vec<String> = batch.changes.iter().map(|c| c.key.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    let truncated_xid = match batch.truncate {
        Some((_, _, xid, _)) => xid,
        None => stream::truncated_xid(tx, id).await?,
    };
    let records = record::load(tx, id, &keys).await?;
    let records = records.into_iter().map(|r| (r.key.clone(), r)).collect();
    let mut fold = Fold { records, changed: HashSet::new(), truncated_xid };
    for change in batch.changes {
        fold.apply(change);
    }
    let mut changed: Vec<_> = fold.changed.iter().filter_map(|k| fold.records.get(k)).collect();
    changed.sort_unstable_by(|a, b| a.key.cmp(&b.key));
    record::write(tx, id, &changed).await?;

    let (values, seen) = derive::extras(&layout, &changed);
    let changed_keys: Vec<&str> = changed.iter().map(|r| r.key.as_str()).collect();
    extras::replace(tx, id, &changed_keys, &values).await?;
    let newest = changed.iter().map(|r| r.changed_at).max().unwrap_or_default();
    extras::count_paths(tx, id, &seen, newest).await?;
    match layout.spec.kind {
        StreamKind::States => {
            let keys: Vec<String> = changed_keys.iter().map(|k| (*k).to_owned()).collect();
            let rows = derive::states(tx, &layout.spec, &changed).await?;
            state::replace(tx, id, &keys, &rows).await
        }
        StreamKind::Assets => derive::describe_assets(tx, &layout.spec, &changed).await,
        StreamKind::Records | StreamKind::Telemetry => Ok(()),
    }
}
