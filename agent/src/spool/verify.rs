//! Whether ingest's cursor stands on this spool: the hashes of the records in between must end in the cursor's.

use super::checkpoint::Point;
use super::{Spool, SpoolError, blocking};
use clarity_wire::hash::BatchHash;
use serde_json::Value;
use std::sync::Arc;

/// What a cursor means for a spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is this spool; sending goes on at the cursor.
    Same,
    /// The events from the cursor to this sequence are no longer here.
    Missing { first_kept: u64 },
    /// The cursor stands inside a record.
    Inside,
    /// It is not this spool, and why.
    Diverged(String),
}

impl Spool {
    /// Compares the cursor with the records. With [`Verdict::Same`] the durable place is moved there.
    pub async fn verify(
        self: &Arc<Self>,
        epoch: u32,
        next_seq: u64,
        hash: BatchHash,
        position: Option<Value>,
    ) -> Result<Verdict, SpoolError> {
        let (first_kept, end, base) = {
            let state = self.state();
            let first_kept = state.segments.first().map_or(state.next_seq, |s| s.first_seq);
            let Some(checkpoint) = state.checkpoint.as_ref() else {
                return Ok(Verdict::Diverged("the spool is lost".into()));
            };
            let durable = Point { next_seq: checkpoint.durable_next_seq, hash: checkpoint.durable_hash };
            let known = checkpoint.points.iter().copied().chain([durable]);
            let base = known.filter(|p| p.next_seq <= next_seq).max_by_key(|p| p.next_seq);
            (first_kept, state.synced_next_seq, base)
        };
        if next_seq > end {
            return Ok(Verdict::Diverged(format!(
                "the platform has events up to {next_seq}, the spool ends before {end}: it was restored from a copy"
            )));
        }
        if let Some(base) = base.filter(|b| b.next_seq == next_seq) {
            if base.hash != hash {
                return Ok(Verdict::Diverged("other events were sent under the same sequences".into()));
            }
        } else if next_seq < first_kept {
            return Ok(Verdict::Missing { first_kept });
        } else {
            let Some(base) = base.filter(|b| b.next_seq >= first_kept) else {
                return Ok(Verdict::Diverged("the spool keeps no hash to compare with".into()));
            };
            match self.walk(epoch, base, next_seq).await? {
                Walked::To(walked) if walked == hash => {}
                Walked::To(_) => {
                    return Ok(Verdict::Diverged("other events were sent under the same sequences".into()));
                }
                Walked::Inside => return Ok(Verdict::Inside),
                Walked::Damaged => return Ok(Verdict::Diverged("the spool is damaged on disk".into())),
            }
        }
        if next_seq < first_kept {
            return Ok(Verdict::Missing { first_kept });
        }
        self.move_to(epoch, next_seq, hash, position).await?;
        Ok(Verdict::Same)
    }

    /// Puts the durable place where ingest says.
    pub async fn move_to(
        self: &Arc<Self>,
        epoch: u32,
        next_seq: u64,
        hash: BatchHash,
        position: Option<Value>,
    ) -> Result<(), SpoolError> {
        let spool = self.clone();
        let at = blocking(move || spool.locate(next_seq)).await??;
        self.place(epoch, Point { next_seq, hash }, position, at);
        Ok(())
    }

    async fn walk(self: &Arc<Self>, epoch: u32, from: Point, to: u64) -> Result<Walked, SpoolError> {
        let mut reader = self.reader(epoch, from.next_seq);
        let (mut at, mut hash) = (from.next_seq, from.hash);
        while at < to {
            let Some(record) = reader.next().await? else { return Ok(Walked::Damaged) };
            if record.first_seq != at || record.next_seq() > to {
                return Ok(Walked::Inside);
            }
            hash = BatchHash::chain(hash, epoch, record.first_seq, record.count, &record.body_hash);
            at = record.next_seq();
        }
        Ok(Walked::To(hash))
    }
}

enum Walked {
    To(BatchHash),
    Inside,
    Damaged,
}
