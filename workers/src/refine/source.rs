//! One source's way from its cursor to the end of bronze: read, decode, prepare; then write, while the next group is
//! being prepared.

use super::apply::{self, Group, Mode};
use super::catalog::Catalog;
use super::decode::{self, Opened};
use super::numbers;
use crate::context::WorkerContext;
use anyhow::Context;
use clarity_domain::ids::SourceId;
use clarity_store::head::Head;
use clarity_store::refine::{self, Fence, Place, Segment};
use clarity_store::{StoreError, WorkspaceTx};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// A group takes at most so many segments, raw bytes and events (but one segment always).
const SEGMENTS: i64 = 32;
const RAW_BYTES: i64 = 16 << 20;
const EVENTS: i64 = 50_000;

/// What comes next in a source's log.
enum Next {
    Segments(Vec<Segment>),
    /// Nothing to read until there.
    Jump(Place),
    Nothing,
}

/// Refines one source under one lease.
pub struct SourceRefiner {
    ctx: WorkerContext,
    head: Head,
    fence: Option<Fence>,
    catalog: Option<Catalog>,
}

impl SourceRefiner {
    /// Without a fence only for commands that hold the cursor's lock themselves.
    pub fn new(ctx: WorkerContext, head: Head, fence: Option<Fence>) -> Self {
        Self { ctx, head, fence, catalog: None }
    }

    pub fn head(&self) -> &Head {
        &self.head
    }

    pub fn fence(&self) -> Option<Fence> {
        self.fence
    }

    /// Refines all there is, or until told to stop; gives the place reached.
    ///
    /// # Errors
    /// The store's. After any error the next call begins at the cursor again.
    pub async fn drain(&mut self, stop: &CancellationToken) -> anyhow::Result<Place> {
        self.turn(stop, None).await
    }

    /// As [`Self::drain`], and leaves the rest for another turn when this one lasts longer than `most`: others wait.
    ///
    /// # Errors
    /// As [`Self::drain`].
    pub async fn turn(&mut self, stop: &CancellationToken, most: Option<Duration>) -> anyhow::Result<Place> {
        let until = most.map(|most| Instant::now() + most);
        let result = self.run(stop, until).await;
        if result.is_err() {
            self.catalog = None;
        }
        result
    }

    async fn run(&mut self, stop: &CancellationToken, until: Option<Instant>) -> anyhow::Result<Place> {
        let mut place = self.begin().await?;
        let mut ready = self.prepare_next(place).await?;
        while let Some((group, mappings)) = ready.take() {
            let to = group.decoded.to;
            if stop.is_cancelled() {
                break;
            }
            let (ctx, head, fence) = (self.ctx.clone(), self.head.clone(), self.fence);
            let written = tokio::spawn(async move { write(&ctx, &head, fence, group, mappings).await });
            // What would be prepared and not written would be prepared again.
            let over = until.is_some_and(|until| Instant::now() >= until);
            let next = if over { Ok(None) } else { self.prepare_next(to).await };
            if written.await.context("the write was interrupted")?? {
                place = to;
                ready = next?;
            } else {
                // Somebody edited a mapping, or refined in between: read anew.
                place = self.begin().await?;
                ready = self.prepare_next(place).await?;
            }
        }
        Ok(place)
    }

    /// Reads cursor and catalogue.
    async fn begin(&mut self) -> Result<Place, StoreError> {
        let mut tx = self.ctx.worker.begin(&self.head.scope).await?;
        refine::cursor::open(&mut tx, self.head.source_id).await?;
        let place = refine::cursor::find(&mut tx, self.head.source_id).await?;
        let assets = self.catalog.take().map(|c| c.assets).unwrap_or_default();
        let mut catalog = Catalog::read(&mut tx, self.head.source_id).await?;
        catalog.assets = assets;
        self.catalog = Some(catalog);
        tx.commit().await?;
        Ok(place)
    }

    async fn prepare_next(&mut self, from: Place) -> anyhow::Result<Option<(Group, i64)>> {
        match self.next(from).await? {
            Next::Nothing => Ok(None),
            Next::Jump(to) => {
                let mut decoded = decode::decode(&[], &Catalog::default(), &HashMap::new());
                (decoded.from, decoded.to) = (from, to);
                let group = Group { decoded, samples: Vec::new(), mode: Mode::Live };
                Ok(Some((group, self.catalog()?.mappings)))
            }
            Next::Segments(segments) => {
                let opened = tokio::task::spawn_blocking(move || segments.iter().map(decode::open).collect::<Vec<_>>());
                let group = self.prepare_group(opened.await?).await?;
                Ok(Some((group, self.catalog()?.mappings)))
            }
        }
    }

    /// Decodes and prepares segments that follow each other.
    async fn prepare_group(&mut self, opened: Vec<Opened>) -> anyhow::Result<Group> {
        let schemas: Vec<_> =
            opened.iter().filter_map(|o| o.raw.as_ref().ok()).flat_map(|(_, h)| h.streams.clone()).collect();
        let mut catalog = self.catalog.take().context("no catalogue")?;
        catalog.register(&self.ctx.worker, &self.head.scope, self.head.source_id, &schemas).await?;
        let (mut decoded, mut catalog) = tokio::task::spawn_blocking(move || {
            let decoded = decode::decode(&opened, &catalog, &HashMap::new());
            (decoded, catalog)
        })
        .await?;
        let parts = numbers::take(&mut decoded);
        if !numbers::are_known(&catalog, &parts) {
            let mut tx = self.ctx.worker.begin(&self.head.scope).await?;
            numbers::register(&mut tx, &mut catalog, &parts).await?;
            tx.commit().await?;
        }
        let samples = numbers::encode(parts, &catalog).await?;
        self.catalog = Some(catalog);
        Ok(Group { decoded, samples, mode: Mode::Live })
    }

    fn catalog(&self) -> anyhow::Result<&Catalog> {
        self.catalog.as_ref().context("no catalogue")
    }

    async fn next(&self, from: Place) -> Result<Next, StoreError> {
        let mut tx = self.ctx.worker.begin(&self.head.scope).await?;
        let next = next(&mut tx, self.head.source_id, from).await?;
        tx.commit().await?;
        Ok(match next {
            Some(Ok(segments)) => Next::Segments(segments),
            Some(Err(to)) => Next::Jump(to),
            None => Next::Nothing,
        })
    }
}

/// The next group of segments after a place, or the place to jump to; `None` at the end.
pub async fn next(
    tx: &mut WorkspaceTx,
    source: SourceId,
    from: Place,
) -> Result<Option<Result<Vec<Segment>, Place>>, StoreError> {
    let infos = refine::segment::list(tx, source, from, SEGMENTS).await?;
    let (mut seq, mut raw, mut events, mut last) = (from.seq, 0, 0, None);
    for info in &infos {
        let is_more = last.is_some();
        raw += i64::from(info.raw_bytes);
        events += i64::from(info.event_count);
        if info.first_seq != seq || (is_more && (raw > RAW_BYTES || events > EVENTS)) {
            break;
        }
        seq += i64::from(info.event_count);
        last = Some(info.first_seq);
    }
    let Some(last) = last else {
        let to = refine::segment::find_next(tx, source, from).await?;
        if let (Some(info), None) = (infos.first(), to) {
            tracing::error!(source_id = %source, epoch = from.epoch, expected = from.seq, found = info.first_seq,
                "bronze has a hole without a gap marker; refining of this source stands still");
            return Ok(None);
        }
        return Ok(to.filter(|to| infos.is_empty() || to.epoch == from.epoch).map(Err));
    };
    Ok(Some(Ok(refine::segment::read(tx, source, from.epoch, from.seq, last).await?)))
}

/// Writes a group in one transaction; false when the cursor stands elsewhere or the mappings are others.
async fn write(
    ctx: &WorkerContext,
    head: &Head,
    fence: Option<Fence>,
    group: Group,
    mappings: i64,
) -> Result<bool, StoreError> {
    let mut tx = ctx.worker.begin(&head.scope).await?;
    let locked = refine::cursor::lock(&mut tx, head.source_id, fence).await?;
    if locked.place != group.decoded.from || locked.mappings != mappings {
        tx.rollback().await?;
        return Ok(false);
    }
    apply::write(&mut tx, head.source_id, group).await?;
    tx.commit().await?;
    Ok(true)
}
