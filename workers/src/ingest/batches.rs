//! Batches, losses and new epochs of one connection into one transaction, and the answers to send after its commit.
//!
//! Nothing is refused for ever: what does not follow the cursor is told where the cursor is, and what cannot be decoded
//! is quarantined with its range marked.

use bytes::Bytes;
use clarity_domain::ids::SourceId;
use clarity_store::ingest::cursor::{self, Gap};
use clarity_store::ingest::segment::{self, Appended, Segment};
use clarity_store::{IngestStore, StoreError, WorkspaceScope, WorkspaceTx};
use clarity_wire::body;
use clarity_wire::frame::{BatchHeader, Durable, Frame, Lost, OpenEpoch, RefuseReason, Refused};
use clarity_wire::hash::BatchHash;
use clarity_wire::limits;

/// What moves a cursor.
pub(super) enum Change {
    Batch(BatchHeader, Bytes),
    Lost(Lost),
    OpenEpoch(OpenEpoch),
}

impl Change {
    /// What the plan's rate counts.
    pub(super) fn events(&self) -> u64 {
        match self {
            Self::Batch(header, _) => u64::from(header.count),
            Self::Lost(_) | Self::OpenEpoch(_) => 0,
        }
    }

    /// What it takes of memory, about: also that which carries no data takes some.
    pub(super) fn size_bytes(&self) -> usize {
        let header = 512;
        match self {
            Self::Batch(_, body) => header + body.len(),
            Self::Lost(_) | Self::OpenEpoch(_) => header,
        }
    }
}

/// Applies the changes in order and commits. The answers hold only after that: they are returned, not sent.
pub(super) async fn apply(
    store: &IngestStore,
    scope: &WorkspaceScope,
    changes: &mut Vec<Change>,
) -> Result<Vec<Frame>, StoreError> {
    let mut tx = store.begin(scope).await?;
    let mut answers = Vec::with_capacity(changes.len());
    let mut partitions = Vec::new();
    for change in changes.drain(..) {
        let answer = match change {
            Change::Batch(header, body) => batch(&mut tx, &header, &body, &mut partitions).await?,
            Change::Lost(said) => lost(&mut tx, &said).await?,
            Change::OpenEpoch(said) => open_epoch(&mut tx, &said).await?,
        };
        // Of several confirmations for a source, the last says it all.
        if let (Frame::Durable(new), Some(Frame::Durable(old))) = (&answer, answers.last())
            && new.source_id == old.source_id
        {
            answers.pop();
        }
        answers.push(answer);
    }
    tx.commit().await?;
    partitions.sort_unstable();
    partitions.dedup();
    if !partitions.is_empty()
        && let Err(error) = segment::tell(store, &partitions).await
    {
        tracing::debug!(%error, "the workers were not told");
    }
    Ok(answers)
}

/// The partition of a batch that was stored joins `partitions`.
async fn batch(
    tx: &mut WorkspaceTx,
    header: &BatchHeader,
    body: &[u8],
    partitions: &mut Vec<i32>,
) -> Result<Frame, StoreError> {
    let body_hash = BatchHash::of_body(body);
    let hash = BatchHash::chain(header.previous, header.epoch, header.first_seq, header.count, &body_hash);
    if hash != header.hash || header.count == 0 {
        return refuse(
            tx,
            header.source_id,
            RefuseReason::Other,
            "the batch's hash does not cover it; it was damaged on the way",
        )
        .await;
    }
    let raw_bytes = match check(header, body) {
        Ok(raw_bytes) => raw_bytes,
        Err(why) => return quarantine(tx, header, hash, body, &why).await,
    };
    let segment = Segment {
        source_id: header.source_id,
        epoch: header.epoch,
        first_seq: header.first_seq,
        event_count: header.count,
        previous_hash: &header.previous.0,
        hash: &hash.0,
        position: &header.position,
        raw_bytes,
        last_commit_us: header.last_commit_us,
        body,
    };
    match segment::append(tx, &segment).await? {
        Appended::Stored { partition } => {
            partitions.push(partition);
            Ok(durable(header.source_id, header.epoch, header.first_seq + u64::from(header.count), hash))
        }
        Appended::Elsewhere => out_of_place(tx, header).await,
    }
}

/// A batch at the right sequence that follows another past is a diverged spool's; any other is only out of place.
async fn out_of_place(tx: &mut WorkspaceTx, header: &BatchHeader) -> Result<Frame, StoreError> {
    let at = cursor::lock(tx, header.source_id).await?;
    let (reason, message) = if (at.epoch, at.next_seq) == (header.epoch, header.first_seq) {
        (RefuseReason::Diverged, "the spool has another past than what is durable; open a new epoch")
    } else {
        (RefuseReason::Sequence, "the batch does not follow what is durable")
    };
    refuse(tx, header.source_id, reason, message).await
}

/// What a batch must be before it may stand in bronze. Returns its size after decompression.
fn check(header: &BatchHeader, body: &[u8]) -> Result<u32, String> {
    if body.len() > limits::MAX_BATCH_BYTES {
        return Err(format!("the batch has {} bytes, more than the limit of {}", body.len(), limits::MAX_BATCH_BYTES));
    }
    if header.count > limits::MAX_BATCH_EVENTS {
        return Err(format!(
            "the batch has {} events, more than the limit of {}",
            header.count,
            limits::MAX_BATCH_EVENTS
        ));
    }
    let raw = body::decompress(body).map_err(|e| e.to_string())?;
    let (_, lines) = body::read(&raw).map_err(|e| e.to_string())?;
    let count = lines.count();
    if count != header.count as usize {
        return Err(format!("the batch says it has {} events, and has {count}", header.count));
    }
    u32::try_from(raw.len()).map_err(|_| "the batch is too large".into())
}

/// Keeps an unreadable batch aside, marks its range and moves on: asking for it again would give the same.
async fn quarantine(
    tx: &mut WorkspaceTx,
    header: &BatchHeader,
    hash: BatchHash,
    body: &[u8],
    why: &str,
) -> Result<Frame, StoreError> {
    let at = cursor::lock(tx, header.source_id).await?;
    if (at.epoch, at.next_seq, at.last_hash) != (header.epoch, header.first_seq, header.previous.0) {
        return out_of_place(tx, header).await;
    }
    let to_seq = header.first_seq + u64::from(header.count);
    let gap = Gap {
        epoch: header.epoch,
        from_seq: header.first_seq,
        to_seq,
        kind: "quarantined",
        reason: why,
        body: (body.len() <= limits::MAX_BATCH_BYTES).then_some(body),
    };
    tracing::warn!(source_id = %header.source_id, first_seq = header.first_seq, why, "batch quarantined");
    cursor::mark_gap(tx, header.source_id, gap).await?;
    cursor::jump(tx, header.source_id, header.epoch, to_seq, &hash.0).await?;
    Ok(durable(header.source_id, header.epoch, to_seq, hash))
}

async fn lost(tx: &mut WorkspaceTx, said: &Lost) -> Result<Frame, StoreError> {
    let at = cursor::lock(tx, said.source_id).await?;
    if at.epoch != said.epoch || at.next_seq != said.from_seq || said.to_seq <= said.from_seq {
        return refuse(tx, said.source_id, RefuseReason::Sequence, "the lost range does not begin at what is durable")
            .await;
    }
    let gap = Gap {
        epoch: said.epoch,
        from_seq: said.from_seq,
        to_seq: said.to_seq,
        kind: "lost",
        reason: &said.reason,
        body: None,
    };
    cursor::mark_gap(tx, said.source_id, gap).await?;
    cursor::jump(tx, said.source_id, said.epoch, said.to_seq, &BatchHash::ZERO.0).await?;
    Ok(durable(said.source_id, said.epoch, said.to_seq, BatchHash::ZERO))
}

async fn open_epoch(tx: &mut WorkspaceTx, said: &OpenEpoch) -> Result<Frame, StoreError> {
    let at = cursor::lock(tx, said.source_id).await?;
    if said.epoch <= at.epoch {
        return refuse(tx, said.source_id, RefuseReason::Sequence, "a new epoch must be higher than the one before")
            .await;
    }
    if said.gap {
        let gap = Gap {
            epoch: at.epoch,
            from_seq: at.next_seq,
            to_seq: at.next_seq,
            kind: "new_epoch",
            reason: &said.reason,
            body: None,
        };
        cursor::mark_gap(tx, said.source_id, gap).await?;
    }
    cursor::jump(tx, said.source_id, said.epoch, 1, &BatchHash::ZERO.0).await?;
    Ok(durable(said.source_id, said.epoch, 1, BatchHash::ZERO))
}

fn durable(source_id: SourceId, epoch: u32, next_seq: u64, hash: BatchHash) -> Frame {
    Frame::Durable(Durable { source_id, epoch, next_seq, hash })
}

/// Says why not, and where the cursor is.
async fn refuse(
    tx: &mut WorkspaceTx,
    source_id: SourceId,
    reason: RefuseReason,
    message: &str,
) -> Result<Frame, StoreError> {
    let at = cursor::lock(tx, source_id).await?;
    Ok(Frame::Refused(Refused {
        source_id,
        reason,
        epoch: at.epoch,
        next_seq: at.next_seq,
        last_hash: BatchHash(at.last_hash),
        message: message.into(),
    }))
}
