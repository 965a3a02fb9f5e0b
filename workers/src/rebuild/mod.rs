//! Rebuild: a workspace's read models made anew from bronze, with the mappings and fixes of today.
//!
//! One transaction a source empties and writes all of its models, holding the cursor's lock; until it commits, everybody
//! reads the generation before, and refining of that source waits. So the length of a source's history bounds what this
//! way is good for: it needs the disk for two generations and a transaction as long as the work. Rollups follow from the
//! dirty marks that it leaves; meanwhile pages compute those buckets from the chunks.

use crate::audit;
use crate::context::WorkerContext;
use crate::refine::apply::{self, Group, Mode};
use crate::refine::numbers;
use crate::refine::walk::{Step, Walk};
use anyhow::Context;
use clarity_domain::audit::Act;
use clarity_domain::ids::SourceId;
use clarity_store::{WorkspaceScope, head, rebuild, refine, retention};

/// `rebuild`: all sources of a workspace, one after another.
pub async fn run_command(ctx: &WorkerContext, slug: &str) -> anyhow::Result<()> {
    let mut tx = ctx.system.begin().await?;
    let found = head::list_of_workspace(&mut tx, slug).await;
    let (scope, heads) = found.with_context(|| format!("there is no workspace {slug}"))?;
    tx.commit().await?;
    audit::record(ctx, &scope, "rebuild", Act::Rebuild).await?;
    for head in heads {
        let (events, generation) = rebuild(ctx, &scope, head.source_id).await?;
        println!("source {}: {events} events, generation {generation}", head.source_id);
    }
    Ok(())
}

/// Rebuilds one source; gives the events refined and the new generation.
///
/// # Errors
/// When bronze does not reach back to its beginning, and the store's; then nothing has changed.
pub async fn rebuild(ctx: &WorkerContext, scope: &WorkspaceScope, source: SourceId) -> anyhow::Result<(i64, i32)> {
    let mut tx = ctx.worker.begin(scope).await?;
    refine::cursor::open(&mut tx, source).await?;
    let end = refine::cursor::lock(&mut tx, source, None).await?.place;
    if let Some(cut) = retention::find_bronze_cut(&mut tx, source).await? {
        anyhow::bail!(
            "retention removed bronze before epoch {} sequence {}: what stands cannot be made anew, and nothing was changed",
            cut.epoch,
            cut.seq
        );
    }
    rebuild::clear(&mut tx, source).await?;
    let mut walk = Walk::open(&mut tx, source, end).await?;
    let mut events = 0;
    loop {
        let mut decoded = match walk.next(&mut tx).await? {
            Step::Group(decoded) => decoded,
            Step::End => break,
            Step::Short(place) => anyhow::bail!(
                "bronze ends at epoch {} sequence {} before the cursor at {} {}: nothing was changed",
                place.epoch,
                place.seq,
                end.epoch,
                end.seq
            ),
        };
        let parts = numbers::take(&mut decoded);
        numbers::register(&mut tx, &mut walk.catalog, &parts).await?;
        let samples = numbers::encode(parts, &walk.catalog).await?;
        events += decoded.events;
        apply::write(&mut tx, source, Group { decoded, samples, mode: Mode::Rebuild }).await?;
    }
    let generation = rebuild::finish(&mut tx, source).await?;
    tx.commit().await?;
    Ok((events, generation))
}
