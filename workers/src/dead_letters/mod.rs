//! Dead letters by command: list them by cause, or try them again after a fix. Members' own requests run in [`jobs`].
//!
//! A letter is refined under the sequence that it had, with the newest mapping of its stream, and once: the transaction
//! that writes what it changes marks it as replayed. What fails again stays open.

pub mod jobs;

use crate::audit;
use crate::context::WorkerContext;
use crate::refine::apply::{self, Group, Mode};
use crate::refine::catalog::Catalog;
use crate::refine::{decode, numbers};
use anyhow::Context;
use clarity_domain::audit::Act;
use clarity_domain::ids::SourceId;
use clarity_domain::time::Micros;
use clarity_store::dead_letter::{self, DeadLetter};
use clarity_store::refine::{self, Place};
use clarity_store::{WorkspaceScope, WorkspaceTx, head, replay};
use clarity_wire::body::BodyHeader;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use uuid::Uuid;

/// Letters of one transaction.
const AT_ONCE: i64 = 500;

/// What a replay did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    pub landed: i64,
    pub failed: i64,
}

/// `dead-letters list`: prints causes with their counts.
pub async fn list_command(ctx: &WorkerContext, slug: &str) -> anyhow::Result<()> {
    let (scope, heads) = workspace(ctx, slug).await?;
    audit::record(ctx, &scope, "dead-letters list", Act::ListDeadLetters).await?;
    let mut tx = ctx.worker.begin_read(&scope).await?;
    let mut any = false;
    for head in heads {
        for group in dead_letter::list_groups(&mut tx, head).await? {
            any = true;
            let stream = if group.stream_name.is_empty() { "(no stream)" } else { &group.stream_name };
            println!(
                "{}  {:>8} open  {:>8} replayed  {stream}: {}",
                group.fingerprint, group.open, group.replayed, group.cause
            );
        }
    }
    if !any {
        println!("no dead letters");
    }
    Ok(())
}

/// `dead-letters replay`: tries all open letters again.
pub async fn replay_command(ctx: &WorkerContext, slug: &str) -> anyhow::Result<()> {
    let (scope, heads) = workspace(ctx, slug).await?;
    audit::record(ctx, &scope, "dead-letters replay", Act::ReplayDeadLetters).await?;
    let mut all = Replayed::default();
    for source in heads {
        let done = replay_letters(ctx, &scope, source, None).await?;
        all.landed += done.landed;
        all.failed += done.failed;
    }
    println!("{} landed, {} failed again", all.landed, all.failed);
    Ok(())
}

async fn workspace(ctx: &WorkerContext, slug: &str) -> anyhow::Result<(WorkspaceScope, Vec<SourceId>)> {
    let mut tx = ctx.system.begin().await?;
    let found = head::list_of_workspace(&mut tx, slug).await;
    let (scope, heads) = found.with_context(|| format!("there is no workspace {slug}"))?;
    tx.commit().await?;
    Ok((scope, heads.into_iter().map(|h| h.source_id).collect()))
}

/// A member's request to replay: its id, and which letters.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub id: Uuid,
    pub stream_name: &'a str,
    pub fingerprint: &'a str,
}

/// Replays a source's open letters, or those that a request names; then it notes in the request how far it is.
///
/// # Errors
/// The store's; letters of transactions that were committed stay replayed.
pub async fn replay_letters(
    ctx: &WorkerContext,
    scope: &WorkspaceScope,
    source: SourceId,
    request: Option<Request<'_>>,
) -> anyhow::Result<Replayed> {
    let of = request.map(|r| (r.stream_name, r.fingerprint));
    let mut done = Replayed::default();
    let mut after = Place { epoch: 0, seq: 0 };
    loop {
        let mut tx = ctx.worker.begin(scope).await?;
        refine::cursor::open(&mut tx, source).await?;
        refine::cursor::lock(&mut tx, source, None).await?;
        let letters = dead_letter::lock_open(&mut tx, source, of, after, AT_ONCE).await?;
        let Some(last) = letters.last() else { return Ok(done) };
        after = last.at;
        let count = letters.len() as i64;
        let landed = again(&mut tx, source, letters).await?;
        done.landed += landed;
        done.failed += count - landed;
        if let Some(request) = request {
            replay::progress(&mut tx, request.id, landed, done.failed).await?;
        }
        tx.commit().await?;
    }
}

/// Refines letters; gives how many landed.
async fn again(tx: &mut WorkspaceTx, source: SourceId, letters: Vec<DeadLetter>) -> anyhow::Result<i64> {
    let mut catalog = Catalog::read(tx, source).await?;
    let mut headers: HashMap<Place, Option<(Arc<BodyHeader>, Micros)>> = HashMap::new();
    let mut readable = Vec::with_capacity(letters.len());
    for letter in letters {
        let place = Place { epoch: letter.at.epoch, seq: letter.segment_first_seq };
        if let Entry::Vacant(unknown) = headers.entry(place) {
            let segments = refine::segment::read(tx, source, place.epoch, place.seq, place.seq).await?;
            let opened = segments.first().map(decode::open);
            let header = opened.and_then(|o| Some((Arc::new(o.raw.ok()?.1), o.received_at)));
            unknown.insert(header);
        }
        if let Some(Some((header, received_at))) = headers.get(&place) {
            readable.push((letter, Arc::clone(header), *received_at));
        }
    }
    let versions: HashMap<String, i32> =
        catalog.streams.values().filter_map(|v| Some((v.name.clone(), v.mappings.last()?.version))).collect();
    let places: Vec<(Place, i32)> =
        readable.iter().map(|l| (l.0.at, versions.get(&l.0.stream_name).copied().unwrap_or(1))).collect();
    let mut decoded = decode::decode_letters(&readable, &catalog);
    let failed: HashSet<Place> = decoded.dead.iter().map(|l| l.at).collect();
    let landed: Vec<(Place, i32)> = places.into_iter().filter(|(place, _)| !failed.contains(place)).collect();
    let parts = numbers::take(&mut decoded);
    numbers::register(tx, &mut catalog, &parts).await?;
    let samples = numbers::encode(parts, &catalog).await?;
    apply::write(tx, source, Group { decoded, samples, mode: Mode::Replay }).await?;
    dead_letter::mark_replayed(tx, source, &landed).await?;
    Ok(landed.len() as i64)
}
