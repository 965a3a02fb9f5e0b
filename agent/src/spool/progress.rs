//! How far a spool is, and what the uplink learns about it.

use super::checkpoint::Point;
use super::{Checkpoint, Opening, Spool, now_us};
use clarity_wire::hash::BatchHash;
use serde_json::Value;
use std::time::Duration;

/// The end of a batch that became durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Boundary {
    pub next_seq: u64,
    pub hash: BatchHash,
    /// From the batch's [`super::Record`].
    pub file: u64,
    pub end: u64,
}

/// A spool at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpoolState {
    /// `None`: new or lost, ingest has yet to say where it begins.
    pub epoch: Option<u32>,
    pub next_seq: u64,
    pub synced_next_seq: u64,
    pub durable_next_seq: u64,
    pub durable_hash: BatchHash,
    pub durable_position: Option<Value>,
    /// On disk, and how much of it is not durable.
    pub bytes: u64,
    pub unconfirmed_bytes: u64,
    /// How long the oldest event that is not durable has been here.
    pub unconfirmed_age: Option<Duration>,
    pub full: Option<String>,
    pub failed: Option<String>,
    pub damaged_at: Option<u64>,
    pub unannounced: Option<Opening>,
    pub paused: bool,
}

impl Spool {
    pub fn snapshot(&self) -> SpoolState {
        let mut guard = self.state();
        let state = &mut *guard;
        let checkpoint = state.checkpoint.clone();
        let durable = checkpoint.as_ref().map_or(1, |c| c.durable_next_seq);
        let oldest = state.marks.oldest(durable, state.next_seq);
        let c = checkpoint.unwrap_or_default();
        SpoolState {
            epoch: state.checkpoint.as_ref().map(|c| c.epoch),
            next_seq: state.next_seq,
            synced_next_seq: state.synced_next_seq,
            durable_next_seq: durable,
            durable_hash: c.durable_hash,
            durable_position: c.durable_position,
            bytes: state.segments.iter().map(|s| s.bytes).sum(),
            unconfirmed_bytes: state.unconfirmed_bytes(),
            unconfirmed_age: oldest.map(age),
            full: state.full.clone(),
            failed: state.failed.clone(),
            damaged_at: state.damaged_at,
            unannounced: c.unannounced,
            paused: c.paused,
        }
    }

    /// Why a block of this size must wait, if it must.
    pub(super) fn full_for(&self, bytes: u64) -> Option<String> {
        let mut guard = self.state();
        let state = &mut *guard;
        let unconfirmed = state.unconfirmed_bytes();
        if unconfirmed > 0 && unconfirmed + bytes > self.limits.limit_bytes {
            return Some(format!("the spool's bound of {} bytes is reached", self.limits.limit_bytes));
        }
        let durable = state.checkpoint.as_ref().map_or(1, |c| c.durable_next_seq);
        let oldest = state.marks.oldest(durable, state.next_seq).map(age);
        oldest.filter(|&age| age > self.limits.limit_age).map(|_| {
            format!("the oldest event waits longer than the spool's bound of {} s", self.limits.limit_age.as_secs())
        })
    }

    /// Ingest confirmed everything before the last of `passed`; `position` is the one after it.
    pub fn advance(&self, epoch: u32, passed: &[Boundary], position: Option<Value>) {
        let Some(&last) = passed.last() else { return };
        self.change(epoch, |state, checkpoint| {
            for boundary in passed {
                if state.segments.iter().any(|s| s.first_seq == boundary.next_seq) {
                    add_point(checkpoint, Point { next_seq: boundary.next_seq, hash: boundary.hash });
                }
            }
            checkpoint.durable_next_seq = last.next_seq;
            checkpoint.durable_hash = last.hash;
            checkpoint.durable_position = position;
            state.durable_at = (last.file, last.end);
            state.ring.forget_before(last.next_seq);
        });
    }

    /// Puts the durable place where ingest says it is: at a connection's begin, or after a loss.
    pub(super) fn place(&self, epoch: u32, to: Point, position: Option<Value>, at: (u64, u64)) {
        self.change(epoch, |state, checkpoint| {
            add_point(checkpoint, to);
            checkpoint.durable_next_seq = to.next_seq;
            checkpoint.durable_hash = to.hash;
            if position.is_some() {
                checkpoint.durable_position = position;
            }
            state.durable_at = at;
        });
    }

    /// Ingest knows the epoch.
    pub fn announced(&self, epoch: u32) {
        self.change(epoch, |_, checkpoint| checkpoint.unannounced = None);
    }

    pub fn set_paused(&self, paused: bool) {
        let epoch = self.snapshot().epoch.unwrap_or(0);
        self.change(epoch, |_, checkpoint| checkpoint.paused = paused);
    }

    fn change(&self, epoch: u32, change: impl FnOnce(&mut super::State, &mut Checkpoint)) {
        let mut guard = self.state();
        let state = &mut *guard;
        let Some(mut checkpoint) = state.checkpoint.take() else { return };
        if checkpoint.epoch == epoch {
            change(state, &mut checkpoint);
            state.checkpoint_dirty = true;
        }
        state.checkpoint = Some(checkpoint);
        drop(guard);
        self.publish();
    }
}

impl super::State {
    fn unconfirmed_bytes(&self) -> u64 {
        let (file, offset) = self.durable_at;
        let newer = self.segments.iter().rev();
        newer
            .take_while(|s| s.first_seq >= file)
            .map(|s| if s.first_seq == file { s.bytes.saturating_sub(offset) } else { s.bytes })
            .sum()
    }
}

fn add_point(checkpoint: &mut Checkpoint, point: Point) {
    let at = checkpoint.points.partition_point(|p| p.next_seq < point.next_seq);
    checkpoint.points.truncate(at);
    checkpoint.points.push(point);
}

fn age(since_us: i64) -> Duration {
    Duration::from_micros(u64::try_from(now_us() - since_us).unwrap_or(0))
}
