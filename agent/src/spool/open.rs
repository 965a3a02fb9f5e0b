//! Opening a spool: after a restart, and in a new epoch.

use super::marks::Marks;
use super::record::Unreadable;
use super::ring::Ring;
use super::segment::{self, HEADER, Segment, io_error};
use super::{Checkpoint, Limits, Opening, Pen, Spool, SpoolError, SpoolKey, State, blocking, sync};
use serde_json::Value;
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::sync::{Notify, watch};

/// What the newest file holds.
struct Tail {
    next_seq: u64,
    position: Option<Value>,
    bytes: u64,
    damaged: bool,
}

impl Spool {
    /// Opens the folder, making it where there is none. Cuts a torn tail. `wake` is notified when there is more to send
    /// or something to decide. Needs a tokio runtime: syncing and keeping house are tasks that end with the spool.
    pub async fn open(
        folder: &Path,
        name: &str,
        key: SpoolKey,
        limits: Limits,
        wake: Arc<Notify>,
    ) -> Result<Arc<Self>, SpoolError> {
        let (folder, name) = (folder.to_owned(), name.to_owned());
        let spool = blocking(move || Self::read(folder, name, key, limits, wake)).await??;
        let spool = Arc::new(spool);
        spool.publish();
        let position = spool.state().position.clone();
        spool.progress.send_modify(|p| p.spooled_position = position);
        tokio::spawn(sync::sync(Arc::downgrade(&spool), spool.written.clone()));
        tokio::spawn(sync::keep_house(Arc::downgrade(&spool)));
        Ok(spool)
    }

    fn read(
        folder: std::path::PathBuf,
        name: String,
        key: SpoolKey,
        limits: Limits,
        wake: Arc<Notify>,
    ) -> Result<Self, SpoolError> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(io_error(&folder))?;
        let checkpoint = Checkpoint::load(&folder)?;
        let segments = segment::list(&folder, checkpoint.as_ref().map(|c| c.epoch))?;
        let first = checkpoint.as_ref().map_or(1, |c| c.durable_next_seq);
        let spool = Self {
            name,
            folder,
            limits,
            key,
            state: Mutex::new(State {
                position: checkpoint.as_ref().and_then(|c| c.durable_position.clone()),
                checkpoint,
                checkpoint_dirty: false,
                segments,
                next_seq: first,
                synced_next_seq: first,
                durable_at: (0, 0),
                ring: Ring::new(limits.memory_bytes),
                marks: Marks::default(),
                damaged_at: None,
                failed: None,
                full: None,
                writer: 0,
            }),
            house: Mutex::new(()),
            pen: Mutex::new(None),
            progress: watch::Sender::default(),
            written: Arc::new(Notify::new()),
            wake,
        };
        spool.resume()?;
        Ok(spool)
    }

    /// Finds the end of the newest file and goes on there.
    fn resume(&self) -> Result<(), SpoolError> {
        let mut pen = self.pen();
        let mut guard = self.state();
        let state = &mut *guard;
        let Some(checkpoint) = state.checkpoint.clone() else { return Ok(()) };
        while let Some(last) = state.segments.last().cloned() {
            let file = OpenOptions::new().read(true).write(true).open(&last.path).map_err(io_error(&last.path))?;
            let header = segment::read_header(&file);
            if header.is_none() && !segment::any_record_after(&file, 0).map_err(io_error(&last.path))? {
                // The file was begun and never synced.
                std::fs::remove_file(&last.path).map_err(io_error(&last.path))?;
                state.segments.pop();
                continue;
            }
            let tail = if header.is_some() {
                self.read_tail(&file, &last, &checkpoint, &mut state.marks)?
            } else {
                Tail { next_seq: last.first_seq, position: None, bytes: last.bytes, damaged: true }
            };
            state.next_seq = tail.next_seq;
            if tail.damaged {
                tracing::error!(
                    source = self.name, seq = tail.next_seq, file = %last.path.display(),
                    "the spool is damaged on disk: what follows this event is unusable, a new epoch will be opened"
                );
                state.damaged_at = Some(tail.next_seq);
            } else if tail.bytes < last.bytes {
                tracing::warn!(source = self.name, bytes = last.bytes - tail.bytes, "cut the spool's torn tail");
                file.set_len(tail.bytes).map_err(io_error(&last.path))?;
            }
            // What a process before this one wrote may be in the page cache only.
            file.sync_all().map_err(io_error(&last.path))?;
            if let Some(segment) = state.segments.last_mut() {
                segment.bytes = tail.bytes;
            }
            if tail.position.is_some() {
                state.position = tail.position;
            }
            *pen = Some(Pen { file: Arc::new(file), bytes: tail.bytes, synced_bytes: tail.bytes });
            break;
        }
        File::open(&self.folder).and_then(|f| f.sync_all()).map_err(io_error(&self.folder))?;
        state.synced_next_seq = state.next_seq;
        let mut marks = Marks::default();
        for segment in &state.segments {
            marks.push(segment.first_seq, segment.created_us);
        }
        for (seq, at) in std::mem::take(&mut state.marks).into_iter() {
            marks.push(seq, at);
        }
        state.marks = marks;
        drop(guard);
        let durable = checkpoint.durable_next_seq;
        match self.locate(durable) {
            Ok(at) => self.state().durable_at = at,
            Err(SpoolError::Damaged(seq)) => self.damaged(seq),
            Err(e) => return Err(e),
        }
        Ok(())
    }

    fn read_tail(
        &self,
        file: &File,
        last: &Segment,
        checkpoint: &Checkpoint,
        marks: &mut Marks,
    ) -> Result<Tail, SpoolError> {
        let mut tail = Tail { next_seq: last.first_seq, position: None, bytes: HEADER, damaged: false };
        let mut newest = None;
        loop {
            match segment::read_record(file, tail.bytes).map_err(io_error(&last.path))? {
                Ok((bytes, clear)) if clear.first_seq == tail.next_seq => {
                    marks.push(clear.first_seq, clear.appended_us);
                    tail.next_seq += u64::from(clear.count);
                    newest = Some((bytes, tail.bytes));
                    tail.bytes += clear.size as u64;
                }
                Ok(_) => {
                    tail.damaged = true;
                    break;
                }
                Err(Unreadable::Short | Unreadable::Damaged) => {
                    let from = tail.bytes + 1;
                    tail.damaged = segment::any_record_after(file, from).map_err(io_error(&last.path))?;
                    break;
                }
            }
        }
        if let Some((bytes, start)) = newest {
            match self.context(checkpoint.epoch).decode(&bytes, last.first_seq, start) {
                Ok(record) => tail.position = Some(record.position),
                // Another key: nothing here can be read.
                Err(_) => {
                    tail.damaged = true;
                    tail.next_seq = checkpoint.durable_next_seq.max(1);
                }
            }
        }
        Ok(tail)
    }

    /// Marks everything from `seq` on as unreadable and stops the writer.
    pub(super) fn damaged(&self, seq: u64) {
        let mut state = self.state();
        if state.damaged_at.is_none_or(|at| seq < at) {
            state.damaged_at = Some(seq);
            state.writer += 1;
        }
        drop(state);
        self.publish();
    }

    /// Drops what this spool holds and begins `epoch` at `position`. `opening` is told to ingest; `None` where ingest
    /// is there already.
    pub async fn open_epoch(
        self: &Arc<Self>,
        epoch: u32,
        position: Option<Value>,
        opening: Option<Opening>,
    ) -> Result<(), SpoolError> {
        let spool = self.clone();
        blocking(move || {
            let _house = spool.house();
            let mut pen = spool.pen();
            let paused = spool.state().checkpoint.as_ref().is_some_and(|c| c.paused);
            let checkpoint = Checkpoint { paused, ..Checkpoint::new(epoch, position.clone(), opening) };
            // The checkpoint first: files of another epoch are removed at the next start, should this stop half-way.
            checkpoint.store(&spool.folder)?;
            *pen = None;
            let old = {
                let mut state = spool.state();
                state.checkpoint = Some(checkpoint);
                state.checkpoint_dirty = false;
                state.next_seq = 1;
                state.synced_next_seq = 1;
                state.position = position;
                state.durable_at = (0, 0);
                state.ring.clear();
                state.marks.clear();
                state.damaged_at = None;
                state.full = None;
                state.writer += 1;
                std::mem::take(&mut state.segments)
            };
            for segment in old {
                std::fs::remove_file(&segment.path).map_err(io_error(&segment.path))?;
            }
            Ok::<_, SpoolError>(())
        })
        .await??;
        self.publish();
        Ok(())
    }
}
