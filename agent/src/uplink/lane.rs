//! One source's part of a connection: what is sent, what is unconfirmed, and what follows a refusal.
//!
//! A lane never argues: ingest's cursor is the truth. It sends on from there when the spool proves to be the same one,
//! says `Lost` for what is no longer here, and opens a new epoch when the spool is another.

use super::cut::cut;
use super::source::SourceHandle;
use crate::spool::{Boundary, Opening, Record, SpoolError, SpoolReader, Verdict};
use clarity_domain::ids::SourceId;
use clarity_wire::frame::{BatchHeader, Durable, Frame, Lost, OpenEpoch, RefuseReason, Refused, SourceCursor};
use clarity_wire::hash::BatchHash;
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long answers to batches sent before a refusal are awaited.
const DRAIN: Duration = Duration::from_secs(5);
const BUSY_FIRST: Duration = Duration::from_millis(500);
const BUSY_MOST: Duration = Duration::from_secs(10);

/// A place of ingest's cursor.
#[derive(Clone, Debug)]
struct Place {
    epoch: u32,
    next_seq: u64,
    hash: BatchHash,
    position: Option<Value>,
}

/// A batch that is sent and not answered.
struct Flight {
    first_seq: u64,
    count: u32,
    bytes: u64,
    position: Value,
    end: Boundary,
}

enum Phase {
    Sending,
    /// A batch was refused; those sent after it will be too.
    Draining {
        then: Then,
        place: Place,
        until: Instant,
    },
    Pausing {
        place: Place,
        until: Instant,
    },
    /// `Lost` up to this sequence was said.
    Losing(u64),
    Opening,
}

#[derive(Clone, Debug)]
enum Then {
    Resume,
    Pause,
    OpenEpoch(String),
    /// The batch of this first sequence and count passed a limit.
    Split {
        first_seq: u64,
        count: u32,
        why: String,
    },
}

pub struct Lane {
    pub source: Arc<SourceHandle>,
    pub source_id: SourceId,
    epoch: u32,
    reader: SpoolReader,
    /// Read and not wholly sent.
    ready: Option<Record>,
    /// The next sequence to send, the hash and position before it.
    next_seq: u64,
    tip: BatchHash,
    tip_position: Value,
    flight: VecDeque<Flight>,
    pub unconfirmed: u64,
    phase: Phase,
    /// Events in a batch, while a record that was too large is sent in pieces, up to this sequence.
    pieces: Option<(u32, u64)>,
    busy: Duration,
}

type Answer = Result<Vec<Frame>, SpoolError>;

impl Lane {
    /// Compares the spool with the cursor of `Welcome` and gives what has to be said first.
    pub async fn begin(source: Arc<SourceHandle>, cursor: SourceCursor) -> Result<(Self, Vec<Frame>), SpoolError> {
        source.set_paused(cursor.paused);
        let mut lane = Self {
            source_id: cursor.source_id,
            epoch: cursor.epoch,
            reader: source.spool.reader(0, 1),
            source,
            ready: None,
            next_seq: 1,
            tip: BatchHash::ZERO,
            tip_position: Value::Null,
            flight: VecDeque::new(),
            unconfirmed: 0,
            phase: Phase::Sending,
            pieces: None,
            busy: BUSY_FIRST,
        };
        let place = Place {
            epoch: cursor.epoch,
            next_seq: cursor.next_seq,
            hash: cursor.last_hash,
            position: cursor.position.filter(|p| !p.is_null()),
        };
        let frames = lane.stand_at(place, true).await?;
        Ok((lane, frames))
    }

    async fn stand_at(&mut self, place: Place, first: bool) -> Answer {
        self.flight.clear();
        self.unconfirmed = 0;
        self.ready = None;
        let spool = self.source.spool.clone();
        let state = spool.snapshot();
        // `Welcome` knows the position; within a connection the spool has followed it.
        let position = if first { place.position.clone() } else { place.position.clone().or(state.durable_position) };
        let place = Place { position, ..place };
        let Some(epoch) = state.epoch else {
            if place.next_seq > 1 {
                let reason = "the agent's spool is new or was lost".to_owned();
                return self.open_epoch(place.epoch + 1, place.position, reason, self.source.confirms_spooled).await;
            }
            let epoch = place.epoch.max(1);
            spool.open_epoch(epoch, place.position.clone(), None).await?;
            if place.epoch == 0 {
                return Ok(self.announce(epoch, "first start".into(), false));
            }
            return Ok(self.send_from(epoch, 1, place.hash, place.position));
        };
        if epoch > place.epoch {
            // An epoch that was never confirmed; or the platform was restored from before it.
            let opening = state.unannounced.unwrap_or_else(|| Opening {
                reason: "the platform knows only an earlier epoch of this source".into(),
                gap: true,
            });
            return Ok(self.announce(epoch, opening.reason, opening.gap));
        }
        // The source has forgotten what was confirmed to it beyond the cursor.
        let gap = self.source.confirms_spooled || (epoch == place.epoch && state.durable_next_seq > place.next_seq);
        if epoch < place.epoch {
            let reason = format!("the spool is of epoch {epoch}, the platform of {}", place.epoch);
            return self.open_epoch(place.epoch + 1, place.position, reason, gap).await;
        }
        if state.unannounced.is_some() {
            spool.announced(epoch);
        }
        match spool.verify(epoch, place.next_seq, place.hash, place.position.clone()).await? {
            Verdict::Same => Ok(self.send_from(epoch, place.next_seq, place.hash, place.position)),
            // A record that was sent in pieces. Within a connection the spool has been compared already.
            Verdict::Inside if !first => Ok(self.send_from(epoch, place.next_seq, place.hash, place.position)),
            Verdict::Missing { first_kept } => {
                Ok(self.lose(epoch, place.next_seq, first_kept, "the agent keeps only what followed"))
            }
            Verdict::Inside => {
                let reason = "the platform's last event stands inside a block of the spool".to_owned();
                self.open_epoch(epoch + 1, place.position, reason, gap).await
            }
            Verdict::Diverged(reason) => self.open_epoch(epoch + 1, place.position, reason, gap).await,
        }
    }

    fn send_from(&mut self, epoch: u32, next_seq: u64, hash: BatchHash, position: Option<Value>) -> Vec<Frame> {
        self.epoch = epoch;
        self.next_seq = next_seq;
        self.tip = hash;
        self.tip_position = position.or_else(|| self.source.spool.snapshot().durable_position).unwrap_or_default();
        self.reader = self.source.spool.reader(epoch, next_seq);
        self.phase = Phase::Sending;
        Vec::new()
    }

    fn lose(&mut self, epoch: u32, from_seq: u64, to_seq: u64, reason: &str) -> Vec<Frame> {
        tracing::error!(source = self.source.name, from_seq, to_seq, reason, "events are lost; a gap is marked");
        self.epoch = epoch;
        self.phase = Phase::Losing(to_seq);
        vec![Frame::Lost(Lost { source_id: self.source_id, epoch, from_seq, to_seq, reason: reason.into() })]
    }

    fn announce(&mut self, epoch: u32, reason: String, gap: bool) -> Vec<Frame> {
        self.epoch = epoch;
        self.phase = Phase::Opening;
        vec![Frame::OpenEpoch(OpenEpoch { source_id: self.source_id, epoch, reason, gap })]
    }

    async fn open_epoch(&mut self, epoch: u32, position: Option<Value>, reason: String, gap: bool) -> Answer {
        tracing::warn!(source = self.source.name, epoch, reason, gap, "opening a new epoch");
        let opening = Opening { reason: reason.clone(), gap };
        self.source.spool.open_epoch(epoch, position, Some(opening)).await?;
        Ok(self.announce(epoch, reason, gap))
    }

    /// Whether there is a batch to send now.
    pub fn has_work(&self) -> bool {
        matches!(self.phase, Phase::Sending) && (self.ready.is_some() || self.reader.has_more())
    }

    /// When [`Self::on_time`] has something to do.
    pub fn wakes_at(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Draining { until, .. } | Phase::Pausing { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// The next batch, if it fits into `room` bytes. The largest fits when nothing is in flight.
    pub async fn next_frame(&mut self, room: u64, alone: bool) -> Result<Option<Frame>, SpoolError> {
        if !matches!(self.phase, Phase::Sending) {
            return Ok(None);
        }
        if self.ready.is_none() {
            self.ready = self.reader.next().await?;
        }
        let Some(record) = &self.ready else { return Ok(None) };
        if record.body.len() as u64 > room && !alone {
            return Ok(None);
        }
        let from = self.next_seq.max(record.first_seq);
        let most = self.pieces.map_or(u64::MAX, |(most, _)| u64::from(most));
        let to = record.next_seq().min(from.saturating_add(most));
        let whole = to == record.next_seq();
        let piece = match cut(record, from..to) {
            Ok(piece) => piece,
            Err(error) => {
                let to = record.next_seq();
                let reason = format!("a block could not be cut: {error}");
                return Ok(self.lose(self.epoch, from, to, &reason).pop());
            }
        };
        // A piece that ends inside the record stands, for a new epoch, where the record began.
        let position = if whole { record.position.clone() } else { self.tip_position.clone() };
        let end = if whole { record.end } else { record.start };
        let hash = BatchHash::chain(self.tip, self.epoch, piece.first_seq, piece.count, &piece.body_hash);
        let header = BatchHeader {
            source_id: self.source_id,
            epoch: self.epoch,
            first_seq: piece.first_seq,
            count: piece.count,
            previous: self.tip,
            hash,
            position: position.clone(),
            raw_bytes: piece.raw_bytes,
            last_commit_us: piece.last_commit_us,
        };
        let bytes = piece.body.len() as u64;
        self.flight.push_back(Flight {
            first_seq: piece.first_seq,
            count: piece.count,
            bytes,
            position: position.clone(),
            end: Boundary { next_seq: to, hash, file: record.file, end },
        });
        self.unconfirmed += bytes;
        self.tip = hash;
        self.next_seq = to;
        self.tip_position = position;
        if whole {
            self.ready = None;
        }
        Ok(Some(Frame::Batch(header, piece.body)))
    }

    pub async fn on_durable(&mut self, durable: Durable) -> Answer {
        if durable.epoch != self.epoch {
            return Ok(Vec::new());
        }
        self.busy = BUSY_FIRST;
        let spool = self.source.spool.clone();
        match &self.phase {
            Phase::Opening => {
                spool.announced(self.epoch);
                let place = Place { epoch: self.epoch, next_seq: durable.next_seq, hash: durable.hash, position: None };
                return self.stand_at(place, false).await;
            }
            Phase::Losing(to) if durable.next_seq == *to => {
                self.flight.clear();
                self.unconfirmed = 0;
                spool.move_to(self.epoch, durable.next_seq, durable.hash, None).await?;
                return Ok(self.send_from(self.epoch, durable.next_seq, durable.hash, None));
            }
            _ => {}
        }
        let mut passed = Vec::new();
        let mut position = None;
        while let Some(flight) = self.flight.pop_front_if(|f| f.end.next_seq <= durable.next_seq) {
            self.unconfirmed -= flight.bytes;
            passed.push(flight.end);
            position = Some(flight.position);
        }
        if let Some(last) = passed.last() {
            if (last.next_seq, last.hash) != (durable.next_seq, durable.hash) {
                return Err(SpoolError::Failed("the platform confirmed something that was not sent".into()));
            }
            spool.advance(self.epoch, &passed, position);
            if self.pieces.is_some_and(|(_, until)| durable.next_seq >= until) {
                self.pieces = None;
            }
        }
        self.after_answer().await
    }

    pub async fn on_refused(&mut self, refused: Refused) -> Answer {
        let place = Place { epoch: refused.epoch, next_seq: refused.next_seq, hash: refused.last_hash, position: None };
        if matches!(self.phase, Phase::Opening | Phase::Losing(_)) {
            tracing::warn!(source = self.source.name, reason = ?refused.reason, refused.message, "not taken");
            let until = Instant::now() + self.longer_pause();
            self.phase = Phase::Pausing { place, until };
            return Ok(Vec::new());
        }
        let Some(flight) = self.flight.pop_front() else { return Ok(Vec::new()) };
        self.unconfirmed -= flight.bytes;
        let then = match refused.reason {
            RefuseReason::Sequence => Then::Resume,
            RefuseReason::Diverged => Then::OpenEpoch(refused.message.clone()),
            RefuseReason::Limit => {
                Then::Split { first_seq: flight.first_seq, count: flight.count, why: refused.message.clone() }
            }
            RefuseReason::Busy | RefuseReason::Other => Then::Pause,
        };
        match &mut self.phase {
            // Those sent after the refused one only do not follow; why the first was refused is what counts.
            Phase::Draining { place: at, .. } => *at = place,
            _ => {
                tracing::warn!(source = self.source.name, reason = ?refused.reason, refused.message, "a batch was refused");
                self.phase = Phase::Draining { then, place, until: Instant::now() + DRAIN };
            }
        }
        self.after_answer().await
    }

    /// Deadlines that have passed, and damage that was reached.
    pub async fn on_time(&mut self, now: Instant) -> Answer {
        match &self.phase {
            Phase::Pausing { place, until } if *until <= now => {
                let place = place.clone();
                self.stand_at(place, false).await
            }
            Phase::Draining { then, place, until } if *until <= now => {
                let (then, place) = (then.clone(), place.clone());
                self.drained(then, place).await
            }
            _ => self.after_answer().await,
        }
    }

    async fn after_answer(&mut self) -> Answer {
        if !self.flight.is_empty() {
            return Ok(Vec::new());
        }
        match &self.phase {
            Phase::Draining { then, place, .. } => {
                let (then, place) = (then.clone(), place.clone());
                self.drained(then, place).await
            }
            Phase::Sending => {
                let state = self.source.spool.snapshot();
                if state.epoch.is_some_and(|e| e == self.epoch)
                    && state.damaged_at.is_some_and(|at| at <= state.durable_next_seq)
                {
                    let reason = "the spool is damaged on disk".to_owned();
                    let gap = self.source.confirms_spooled;
                    return self.open_epoch(self.epoch + 1, state.durable_position, reason, gap).await;
                }
                Ok(Vec::new())
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn drained(&mut self, then: Then, place: Place) -> Answer {
        self.flight.clear();
        self.unconfirmed = 0;
        match then {
            Then::Resume => self.stand_at(place, false).await,
            Then::Pause => {
                let until = Instant::now() + self.longer_pause();
                self.phase = Phase::Pausing { place, until };
                Ok(Vec::new())
            }
            Then::OpenEpoch(reason) => {
                let position = self.source.spool.snapshot().durable_position;
                self.open_epoch(place.epoch.max(self.epoch) + 1, position, reason, self.source.confirms_spooled).await
            }
            Then::Split { first_seq, count: 1, why } if place.next_seq == first_seq => {
                Ok(self.lose(self.epoch, first_seq, first_seq + 1, &why))
            }
            Then::Split { first_seq, count, .. } => {
                self.pieces = Some(((count / 2).max(1), first_seq + u64::from(count)));
                self.stand_at(place, false).await
            }
        }
    }

    fn longer_pause(&mut self) -> Duration {
        let pause = self.busy;
        self.busy = (self.busy * 2).min(BUSY_MOST);
        pause
    }
}
