//! Reads the replication stream into blocks.
//!
//! A block is cut when it is full, or when nothing more waits in the socket and the block before it is a few
//! milliseconds old: alone a change leaves at once, in a crowd changes share a block.

use super::assemble::{Assembler, Draft};
use super::catalog::Catalog;
use super::config::PostgresConfig;
use super::flow::Flow;
use super::frames::{Frame, FrameReader};
use super::problems;
use super::watch::Problems;
use crate::sources::{Policy, SourceError};
use clarity_wire::body::BodyWriter;
use futures::FutureExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Oldest age of an event in a block that is not cut yet, and least distance of blocks that are not full.
const LINGER: Duration = Duration::from_millis(3);
/// The same while many blocks wait to become durable: larger blocks cost everyone less.
const CROWDED_LINGER: Duration = Duration::from_millis(20);
const CROWDED_BLOCKS: usize = 8;
/// One look into the socket that brings so much: there is a backlog.
const BUSY_BYTES: usize = 16 << 10;
/// Without an event of our own for so long, the server's keep-alives have to do as heartbeats.
const QUIET: Duration = Duration::from_secs(12);

pub struct Stream<'a> {
    pub config: &'a PostgresConfig,
    pub policy: &'a Policy,
    pub frames: FrameReader,
    pub assembler: Assembler,
    pub catalog: Catalog,
    pub problems: &'a Problems,
    pub drafts: mpsc::Sender<Draft>,
    pub used: mpsc::Receiver<BodyWriter>,
    pub flow: &'a Flow,
    pub asked: Arc<Notify>,
    pub paused: watch::Receiver<bool>,
    pub shutdown: CancellationToken,
}

impl Stream<'_> {
    /// Reads until shutdown. What was read whole is handed on first.
    pub async fn run(mut self) -> Result<(), SourceError> {
        let mut last_cut = Instant::now();
        let mut first_event: Option<Instant> = None;
        let mut last_event = Instant::now();
        loop {
            let mut taken = false;
            while let Some(relation) = self.take_one(&mut taken, last_event)? {
                let name = relation.name();
                let shape = if self.config.wants(&name) && self.policy.allows_table(&name) {
                    let described = self.catalog.shape(&relation).await;
                    let shape = described.map_err(|e| problems::of_error(self.config, &e, "describing a table"))?;
                    self.problems.of_masks(&shape);
                    Some(shape)
                } else {
                    None
                };
                self.assembler.describe(relation.id, shape);
            }
            if self.assembler.is_full() {
                self.cut().await?;
                (last_cut, first_event) = (Instant::now(), None);
                if self.shutdown.is_cancelled() {
                    return Ok(());
                }
                continue;
            }
            if self.assembler.is_empty() {
                first_event = None;
            } else if taken || first_event.is_none() {
                last_event = Instant::now();
                first_event.get_or_insert(last_event);
            }
            // More is here already: no reason to think about time.
            if let Some(filled) = self.frames.fill().now_or_never() {
                self.has_read(filled.map_err(problems::connection_lost)?);
                let overdue = first_event.is_some_and(|t| t.elapsed() >= self.linger());
                if !overdue {
                    continue;
                }
                self.cut().await?;
                (last_cut, first_event) = (Instant::now(), None);
                continue;
            }
            let linger = self.linger();
            let due = first_event.map(|first| if self.assembler.in_transaction() { first } else { last_cut } + linger);
            if due.is_some_and(|due| due <= Instant::now()) {
                self.cut().await?;
                (last_cut, first_event) = (Instant::now(), None);
                continue;
            }
            tokio::select! {
                filled = self.frames.fill() => self.has_read(filled.map_err(problems::connection_lost)?),
                () = sleep_until(due) => self.has_read(0),
                () = self.shutdown.cancelled() => {
                    if !self.assembler.is_empty() {
                        self.cut().await?;
                    }
                    return Ok(());
                }
            }
            self.while_paused().await;
        }
    }

    /// Takes frames that are here until the block is full or a table must be described.
    fn take_one(
        &mut self,
        taken: &mut bool,
        last_event: Instant,
    ) -> Result<Option<super::catalog::Relation>, SourceError> {
        while !self.assembler.is_full() {
            match self.frames.next().map_err(problems::connection_lost)? {
                None => break,
                Some(Frame::Data(message)) => {
                    *taken = true;
                    let described = self.assembler.take(message).map_err(problems::connection_lost)?;
                    if described.is_some() {
                        return Ok(described);
                    }
                }
                Some(Frame::Oversized { prefix, bytes, hash }) => {
                    *taken = true;
                    self.assembler.take_oversized(prefix, bytes, &hash);
                }
                Some(Frame::KeepAlive { log_end, server_us, reply }) => {
                    if reply {
                        self.asked.notify_one();
                    }
                    if last_event.elapsed() > QUIET {
                        self.assembler.quiet(log_end, server_us);
                    }
                }
                Some(Frame::Error(code, text)) => {
                    return Err(problems::of_state(self.config, &code, &text, "streaming").into());
                }
                Some(Frame::Done) => return Err(problems::connection_lost("the server shuts down").into()),
            }
        }
        Ok(None)
    }

    fn has_read(&self, bytes: usize) {
        self.flow.busy.store(bytes >= BUSY_BYTES, Ordering::Relaxed);
    }

    fn linger(&self) -> Duration {
        if self.flow.undurable().0 > CROWDED_BLOCKS { CROWDED_LINGER } else { LINGER }
    }

    async fn cut(&mut self) -> Result<(), SourceError> {
        let fresh = self.used.try_recv().unwrap_or_default();
        let draft = self.assembler.cut(fresh);
        tokio::select! {
            // The appending task says itself why it ended.
            sent = self.drafts.send(draft) => sent.map_err(|_| problems::connection_lost("the spool takes nothing").into()),
            // The spool is at its bound: what is not in it is read again after the start.
            () = given_up(&self.shutdown) => Ok(()),
        }
    }

    async fn while_paused(&mut self) {
        while *self.paused.borrow_and_update() {
            tokio::select! {
                changed = self.paused.changed() => if changed.is_err() { return },
                () = self.shutdown.cancelled() => return,
            }
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Some time after shutdown was asked for.
async fn given_up(shutdown: &CancellationToken) {
    shutdown.cancelled().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
}
