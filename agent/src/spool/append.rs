//! Appending: sealed, written in one piece, at the end.

use super::record::Record;
use super::segment::{self, io_error};
use super::{AppendedAt, Block, Pen, Spool, SpoolError, blocking, now_us};
use clarity_wire::limits::MAX_BATCH_BYTES;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::time::Duration;

/// How often a full disk is tried again.
const DISK_FULL_RETRY: Duration = Duration::from_secs(1);

/// What a record needs beside its body, generously: frame, header with the position, tag.
const FRAME: u64 = 512;

/// What became of a write.
enum Written {
    At(AppendedAt),
    /// The disk has no room; nothing of the block is there.
    NoRoom(Block),
}

impl Spool {
    pub(super) async fn append(self: &Arc<Self>, writer: u64, block: Block) -> Result<AppendedAt, SpoolError> {
        if block.count == 0 {
            return Err(SpoolError::Empty);
        }
        if block.body.len() > MAX_BATCH_BYTES {
            return Err(SpoolError::TooLarge(block.body.len()));
        }
        let mut block = block;
        let mut progress = self.subscribe();
        loop {
            progress.mark_unchanged();
            while let Some(reason) = self.full_for(block.body.len() as u64 + FRAME) {
                self.say_full(Some(reason));
                self.refuse_stale(writer)?;
                if progress.changed().await.is_err() {
                    break;
                }
            }
            let spool = self.clone();
            match blocking(move || spool.write(writer, block)).await?? {
                Written::At(at) => {
                    self.say_full(None);
                    self.written.notify_one();
                    return Ok(at);
                }
                Written::NoRoom(back) => {
                    self.say_full(Some(format!("no room left on the disk of {}", self.folder.display())));
                    block = back;
                    tokio::time::sleep(DISK_FULL_RETRY).await;
                }
            }
        }
    }

    fn say_full(&self, reason: Option<String>) {
        let mut state = self.state();
        if state.full == reason {
            return;
        }
        match &reason {
            Some(reason) => tracing::warn!(source = self.name, "reading stops: {reason}"),
            None => tracing::info!(source = self.name, "reading goes on"),
        }
        state.full = reason;
        drop(state);
        self.wake.notify_one();
    }

    fn refuse_stale(&self, writer: u64) -> Result<(), SpoolError> {
        let state = self.state();
        if let Some(message) = &state.failed {
            return Err(SpoolError::Failed(message.clone()));
        }
        if state.writer != writer || state.damaged_at.is_some() {
            return Err(SpoolError::EpochClosed(state.checkpoint.as_ref().map_or(0, |c| c.epoch)));
        }
        Ok(())
    }

    fn write(&self, writer: u64, block: Block) -> Result<Written, SpoolError> {
        let mut pen = self.pen();
        self.refuse_stale(writer)?;
        let (epoch, first_seq) = {
            let state = self.state();
            (state.checkpoint.as_ref().map_or(0, |c| c.epoch), state.next_seq)
        };
        let now = now_us();
        let mut record = Record::new(block, first_seq, now);
        let bytes = self.context(epoch).encode(&record)?;

        if pen.as_ref().is_none_or(|p| p.bytes >= self.limits.segment_bytes) {
            match self.next_segment(pen.as_ref(), epoch, first_seq, now) {
                Ok(next) => *pen = Some(next),
                Err(SpoolError::Io { source, .. }) if no_room(&source) => return Ok(Written::NoRoom(back(record))),
                Err(e) => return Err(e),
            }
        }
        let Some(pen) = pen.as_mut() else {
            return Err(SpoolError::Failed("no file to write to".into()));
        };
        let start = pen.bytes;
        if let Err(error) = pen.file.write_all_at(&bytes, start) {
            // Half a record must not stay: the next one would look like damage in the middle.
            let cut = pen.file.set_len(start);
            if no_room(&error) && cut.is_ok() {
                return Ok(Written::NoRoom(back(record)));
            }
            return Err(self.fail(&error.to_string()));
        }
        pen.bytes += bytes.len() as u64;

        let mut state = self.state();
        let Some(segment) = state.segments.last_mut() else {
            return Err(SpoolError::Failed("no file to write to".into()));
        };
        segment.bytes = pen.bytes;
        record.file = segment.first_seq;
        record.start = start;
        record.end = pen.bytes;
        let next_seq = record.next_seq();
        state.next_seq = next_seq;
        state.position = Some(record.position.clone());
        state.marks.push(first_seq, now);
        state.ring.push(record);
        Ok(Written::At(AppendedAt { epoch, first_seq, next_seq }))
    }

    /// Begins a file. The one before is synced first, so that only the newest can ever be torn.
    fn next_segment(&self, before: Option<&Pen>, epoch: u32, first_seq: u64, now: i64) -> Result<Pen, SpoolError> {
        if let Some(before) = before {
            before.file.sync_data().map_err(|e| self.fail(&e.to_string()))?;
        }
        let (file, segment) = segment::create(&self.folder, epoch, first_seq, now)?;
        File::open(&self.folder)
            .and_then(|f| f.sync_all())
            .map_err(io_error(&self.folder))
            .map_err(|e| self.fail(&e.to_string()))?;
        let mut state = self.state();
        if state.segments.is_empty() {
            state.durable_at = (first_seq, segment.bytes);
        }
        let bytes = segment.bytes;
        state.segments.push(segment);
        Ok(Pen { file: Arc::new(file), bytes, synced_bytes: 0 })
    }

    /// After a failed write or sync nothing of the file after the last sync can be trusted, and trying again may report
    /// a success that never reached the disk. So: take nothing more, and cut what was not synced.
    pub(super) fn fail(&self, message: &str) -> SpoolError {
        tracing::error!(source = self.name, error = message, "the spool's disk failed; the source stops");
        let mut state = self.state();
        state.failed = Some(message.to_owned());
        let synced = state.synced_next_seq;
        state.ring.forget_from(synced);
        drop(state);
        self.publish();
        SpoolError::Failed(message.to_owned())
    }
}

fn back(record: Record) -> Block {
    Block {
        body: record.body.into(),
        raw_bytes: record.raw_bytes,
        count: record.count,
        position: record.position,
        last_commit_us: record.last_commit_us,
    }
}

fn no_room(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
