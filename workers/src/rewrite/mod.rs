//! Rewriting history: the agents' masks applied to what is kept already, as a job that members ask for.
//!
//! Source by source, in three steps. Segments of bronze get a body with the same events and what is left of their values, a few
//! at a time, each batch in a transaction with the place that it reached: whoever claims the job after a break goes on there.
//! Letters get their lines from it. Then the source's read models are made anew, by the rebuild that a command would give.
//!
//! Ingest goes on meanwhile: a rewrite ends where ingest stood when it began. The cursor, and with it what the agent's next
//! batch has to follow, is never touched. A legal hold ends a rewrite between two batches.

mod columns;
mod machines;
mod segment;

use crate::context::WorkerContext;
use clarity_domain::audit::{Act, ActorKind, Outcome};
use clarity_domain::ids::SourceId;
use clarity_domain::masking::{MaskKey, MaskPolicy};
use clarity_runtime::secret::random_bytes;
use clarity_service::keyed_hash;
use clarity_store::audit::{self, Actor, Entry, Object};
use clarity_store::refine::{self, Place};
use clarity_store::retention;
use clarity_store::rewrite::{self as store, Job, NewSegment, Part, Step, Stored, Work};
use clarity_wire::hash::BatchHash;
use serde_json::json;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const POLL: Duration = Duration::from_secs(1);
/// The claim lasts a minute.
const KEEP: Duration = Duration::from_secs(15);
/// Segments of a transaction.
const AT_ONCE: i64 = 8;
/// After so many breaks a rewrite is given up.
const ATTEMPTS: i32 = 5;
/// Refining is waited for so often, and so long each time.
const WAITS: u32 = 1_200;
const WAIT: Duration = Duration::from_millis(500);

const HELD: &str = "A legal hold was placed: nothing that is kept may be changed. Start again when it is lifted.";
const FAILED: &str =
    "It failed several times. What was rewritten stays so; the rest is as it was. Start again, or ask support.";

/// How a turn of a job ended.
enum Turn {
    Done,
    Held,
    /// This process is to end; another goes on.
    Later,
}

/// Carries out rewrites until told to stop.
pub async fn run(ctx: WorkerContext, stop: CancellationToken) {
    while !stop.is_cancelled() {
        match work(&ctx, &stop).await {
            Ok(true) => {}
            Ok(false) => {
                tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(POLL) => {} }
            }
            Err(e) => {
                tracing::warn!(error = %format!("{e:#}"), "cannot work on rewrites");
                tokio::select! { () = stop.cancelled() => {}, () = tokio::time::sleep(POLL) => {} }
            }
        }
    }
}

/// Claims a job and carries it out; false when there is none.
///
/// # Errors
/// The store's, where a job cannot be claimed or ended. One that fails is claimed again, a few times.
pub async fn work(ctx: &WorkerContext, stop: &CancellationToken) -> anyhow::Result<bool> {
    let mut tx = ctx.system.begin().await?;
    let job = store::claim(&mut tx, ctx.holder).await?;
    tx.commit().await?;
    let Some(job) = job else { return Ok(false) };
    if job.attempts > ATTEMPTS {
        // Nobody came back to end it: each attempt took its worker along.
        tracing::warn!(attempts = job.attempts, "a rewrite is given up");
        close(ctx, &job, Some(FAILED)).await?;
        return Ok(true);
    }
    let turn = tokio::select! {
        turn = Box::pin(carry_out(ctx, &job, stop)) => turn,
        lost = keep(ctx, &job) => Err(lost),
    };
    match turn {
        Ok(Turn::Done) => close(ctx, &job, None).await?,
        Ok(Turn::Held) => close(ctx, &job, Some(HELD)).await?,
        Ok(Turn::Later) => {}
        Err(e) => {
            tracing::warn!(attempts = job.attempts, error = %format!("{e:#}"), "a rewrite failed");
            if job.attempts >= ATTEMPTS {
                close(ctx, &job, Some(FAILED)).await?;
            }
        }
    }
    Ok(true)
}

/// Keeps the claim as long as the job is worked on; ends when it is lost.
async fn keep(ctx: &WorkerContext, job: &Job) -> anyhow::Error {
    loop {
        tokio::time::sleep(KEEP).await;
        let kept = async {
            let mut tx = ctx.system.begin().await?;
            let kept = store::keep(&mut tx, job.id, ctx.holder).await?;
            tx.commit().await?;
            Ok::<_, clarity_store::StoreError>(kept)
        };
        match kept.await {
            Ok(true) => {}
            Ok(false) => return anyhow::anyhow!("another worker has the job"),
            // Three more may fail before the claim ends.
            Err(e) => tracing::warn!(error = %e, "a rewrite's claim was not renewed"),
        }
    }
}

async fn carry_out(ctx: &WorkerContext, job: &Job, stop: &CancellationToken) -> anyhow::Result<Turn> {
    let mut tx = ctx.worker.begin(&job.scope).await?;
    let Some(work) = store::find(&mut tx, job.rewrite).await? else { return Ok(Turn::Done) };
    let key = match &work.key {
        Some(key) => key.clone(),
        None => {
            let key = MaskKey::new(random_bytes::<32>()?);
            store::begin(&mut tx, work.id, &key, concerned(&work.policies).as_deref()).await?;
            key
        }
    };
    let parts = store::list_parts(&mut tx, work.id).await?;
    tx.commit().await?;
    for part in &parts {
        match segments(ctx, job, &work, &key, *part, stop).await? {
            Turn::Done => {}
            other => return Ok(other),
        }
    }
    for part in &parts {
        if !refined(ctx, job, *part, stop).await? {
            return Ok(Turn::Later);
        }
    }
    machines(ctx, job, &work, &key).await?;
    for part in parts {
        crate::rebuild::rebuild(ctx, &job.scope, part.source).await?;
        let mut tx = ctx.worker.begin(&job.scope).await?;
        store::note_models(&mut tx, work.id, part.source).await?;
        tx.commit().await?;
    }
    Ok(Turn::Done)
}

/// The sources that policies name; none for all of them.
fn concerned(policies: &[MaskPolicy]) -> Option<Vec<SourceId>> {
    policies.iter().map(|policy| policy.source_id).collect()
}

/// Rewrites what is left of a source's segments.
async fn segments(
    ctx: &WorkerContext,
    job: &Job,
    work: &Work,
    key: &MaskKey,
    part: Part,
    stop: &CancellationToken,
) -> anyhow::Result<Turn> {
    let mut at = part.at;
    loop {
        if stop.is_cancelled() {
            return Ok(Turn::Later);
        }
        let mut tx = ctx.worker.begin(&job.scope).await?;
        if !retention::enter(&mut tx).await? {
            return Ok(Turn::Held);
        }
        let stored = store::read(&mut tx, part.source, at, part.end, AT_ONCE).await?;
        let (Some(first), Some(last)) = (stored.first(), stored.last()) else {
            let removed = store::remove_quarantined(&mut tx, part.source).await?;
            tx.commit().await?;
            if removed > 0 {
                tracing::info!(source_id = %part.source, removed, "bodies that could not be decoded were removed");
            }
            return Ok(Turn::Done);
        };
        let (from, epoch) = (Place { epoch: first.epoch, seq: first.first_seq }, first.epoch);
        let to = Place { epoch, seq: last.first_seq + i64::from(last.event_count) };
        let previous = store::before(&mut tx, part.source, from).await?;
        let (policies, key) = (work.policies.clone(), key.clone());
        let batch =
            tokio::task::spawn_blocking(move || chain(&stored, previous, &policies, part.source, &key)).await??;
        let count = batch.segments.len() as i64;
        store::change(&mut tx, work.id, part.source, epoch, &batch.segments).await?;
        let letters = batch.letters_of(store::list_letters(&mut tx, part.source, epoch, &batch.changed()).await?);
        if !letters.is_empty() {
            store::change_letters(&mut tx, part.source, epoch, &letters).await?;
        }
        let step = Step { segments: count, values: batch.values, letters: letters.len() as i64 };
        store::note(&mut tx, work.id, part.source, to, step).await?;
        tx.commit().await?;
        at = to;
    }
}

/// Segments of a transaction as they are to be.
struct Batch {
    segments: Vec<NewSegment>,
    values: i64,
    /// Of each segment with another body: its first sequence and its lines.
    lines: Vec<(i64, Vec<Vec<u8>>)>,
}

impl Batch {
    fn changed(&self) -> Vec<i64> {
        self.lines.iter().map(|(first, _)| *first).collect()
    }

    /// Each letter's sequence and line, of those that stand in a changed segment.
    fn letters_of(&self, letters: Vec<(i64, i64, i32)>) -> Vec<(i64, Vec<u8>)> {
        let line = |(seq, segment, number): (i64, i64, i32)| {
            let (_, lines) = self.lines.iter().find(|(first, _)| *first == segment)?;
            Some((seq, lines.get(usize::try_from(number).ok()?)?.clone()))
        };
        letters.into_iter().filter_map(line).collect()
    }
}

/// Masks segments of one epoch, and states their chain anew: the hash of a clear body would let values be tried, and so would
/// that of the batch after it as long as the one before is known.
fn chain(
    stored: &[Stored],
    previous: Option<Vec<u8>>,
    policies: &[MaskPolicy],
    source: SourceId,
    key: &MaskKey,
) -> anyhow::Result<Batch> {
    let mut hash = previous.and_then(|hash| hash.try_into().ok()).map_or(BatchHash::ZERO, BatchHash);
    let mut batch = Batch { segments: Vec::with_capacity(stored.len()), values: 0, lines: Vec::new() };
    let mut next = stored.first().map(|segment| segment.first_seq);
    for segment in stored {
        if next != Some(segment.first_seq) {
            hash = BatchHash::ZERO;
        }
        next = Some(segment.first_seq + i64::from(segment.event_count));
        let done = segment::rewrite(&segment.body, policies, source, &|bytes| keyed_hash(key, bytes))?;
        let body = done.as_ref().map_or(&segment.body, |done| &done.body);
        let (epoch, first) = (segment.epoch as u32, segment.first_seq as u64);
        hash = BatchHash::chain(hash, epoch, first, segment.event_count as u32, &BatchHash::of_body(body));
        let body = done.map(|done| {
            batch.values += done.values;
            batch.lines.push((segment.first_seq, done.lines));
            (done.body, done.raw_bytes)
        });
        batch.segments.push(NewSegment { first_seq: segment.first_seq, hash: hash.0, body });
    }
    Ok(batch)
}

/// Waits until refining is past what was rewritten: a group that it read before would be written after the models.
async fn refined(ctx: &WorkerContext, job: &Job, part: Part, stop: &CancellationToken) -> anyhow::Result<bool> {
    for _ in 0..WAITS {
        let mut tx = ctx.worker.begin_read(&job.scope).await?;
        let place = refine::cursor::find(&mut tx, part.source).await?;
        tx.commit().await?;
        if place >= part.end {
            return Ok(true);
        }
        tokio::select! { () = stop.cancelled() => return Ok(false), () = tokio::time::sleep(WAIT) => {} }
    }
    anyhow::bail!("refining of source {} has not come to where the rewrite ends", part.source)
}

/// Takes clear names from machines, before the first of the models says what masked rows call them.
async fn machines(ctx: &WorkerContext, job: &Job, work: &Work, key: &MaskKey) -> anyhow::Result<()> {
    let mut tx = ctx.worker.begin(&job.scope).await?;
    if !store::has_models(&mut tx, work.id).await? {
        let rules = machines::Rules::read(&mut tx, &work.policies).await?;
        if !rules.is_empty() {
            machines::rename(&mut tx, &rules, key).await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

/// Ends the rewrite, with what it did in the audit log, and its job.
async fn close(ctx: &WorkerContext, job: &Job, stopped: Option<&str>) -> anyhow::Result<()> {
    let mut tx = ctx.worker.begin(&job.scope).await?;
    if let Some(done) = store::finish(&mut tx, job.rewrite, stopped).await? {
        let actor = Actor { kind: ActorKind::Service, id: None, name: "rewrite".into() };
        let id = job.rewrite.to_string();
        let after = json!({
            "segments": done.segments, "values": done.values, "letters": done.letters, "stopped": stopped
        });
        let entry = Entry {
            actor: &actor,
            act: Act::RewriteHistory,
            object: Object { kind: "rewrite", id: &id, name: "" },
            before: None,
            after: Some(after),
            outcome: Outcome::Done,
            address: "",
            request_id: None,
        };
        audit::record(&mut tx, &entry).await?;
    }
    tx.commit().await?;
    let mut tx = ctx.system.begin().await?;
    store::end(&mut tx, job.id, ctx.holder, stopped.is_none()).await?;
    tx.commit().await?;
    Ok(())
}
