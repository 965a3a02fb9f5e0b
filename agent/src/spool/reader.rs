//! Reading back, in order: from memory where the newest records are, else from the disk, a little ahead.

use super::record::Record;
use super::segment::{self, HEADER, Segment, io_error};
use super::{Spool, SpoolError, blocking};
use std::collections::VecDeque;
use std::fs::File;
use std::sync::Arc;

/// Bytes read ahead from the disk at a time.
const AHEAD_BYTES: u64 = 1 << 20;

/// Gives the synced records from a sequence on.
pub struct SpoolReader {
    spool: Arc<Spool>,
    epoch: u32,
    next_seq: u64,
    ahead: VecDeque<Record>,
    place: Option<Place>,
}

/// Where in the files the next record stands.
#[derive(Clone)]
struct Place {
    file: Arc<File>,
    segment: Segment,
    offset: u64,
    seq: u64,
}

impl Spool {
    /// Reads from `seq` on, which may stand inside a record.
    pub fn reader(self: &Arc<Self>, epoch: u32, seq: u64) -> SpoolReader {
        SpoolReader { spool: self.clone(), epoch, next_seq: seq, ahead: VecDeque::new(), place: None }
    }

    /// End of what may be read: synced and not damaged. `None` when the epoch is over.
    fn readable(&self, epoch: u32) -> Option<u64> {
        let state = self.state();
        let current = state.checkpoint.as_ref()?.epoch == epoch;
        current.then(|| state.synced_next_seq.min(state.damaged_at.unwrap_or(u64::MAX)))
    }
}

impl SpoolReader {
    pub fn next_seq(&self) -> u64 {
        self.next_seq
    }

    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// Whether [`Self::next`] would give a record.
    pub fn has_more(&self) -> bool {
        self.spool.readable(self.epoch).is_some_and(|end| self.next_seq < end)
    }

    /// The record that holds the next sequence; its `first_seq` is smaller after a start inside a record. `None` when
    /// all that is synced was given, or the epoch is over.
    pub async fn next(&mut self) -> Result<Option<Record>, SpoolError> {
        let Some(end) = self.spool.readable(self.epoch) else { return Ok(None) };
        if self.next_seq >= end {
            return Ok(None);
        }
        if self.ahead.is_empty() {
            let found = self.spool.state().ring.find(self.next_seq).cloned();
            match found {
                Some(record) => self.ahead.push_back(record),
                None => self.read_ahead(end).await?,
            }
        }
        let record = self.ahead.pop_front();
        if let Some(record) = &record {
            self.next_seq = record.next_seq();
        }
        Ok(record)
    }

    async fn read_ahead(&mut self, end: u64) -> Result<(), SpoolError> {
        let (spool, epoch, seq) = (self.spool.clone(), self.epoch, self.next_seq);
        let place = self.place.take().filter(|p| p.seq == seq);
        let (records, place, damage) = blocking(move || spool.read_from(epoch, seq, end, place)).await??;
        if records.is_empty()
            && let Some(seq) = damage
        {
            tracing::error!(source = self.spool.name, seq, "the spool is damaged on disk");
            self.spool.damaged(seq);
        }
        self.ahead = records.into();
        self.place = place;
        Ok(())
    }
}

type ReadAhead = (Vec<Record>, Option<Place>, Option<u64>);

impl Spool {
    /// Whole records from the one that holds `seq`, about [`AHEAD_BYTES`] of them, none beyond `end`. Damage is given
    /// beside what stands before it.
    fn read_from(&self, epoch: u32, seq: u64, end: u64, place: Option<Place>) -> Result<ReadAhead, SpoolError> {
        let mut place = match place {
            Some(place) => place,
            None => match self.find_place(seq) {
                Ok(place) => place,
                Err(SpoolError::Damaged(at)) => return Ok((Vec::new(), None, Some(at))),
                Err(e) => return Err(e),
            },
        };
        let context = self.context(epoch);
        let mut records = Vec::new();
        let mut bytes = 0;
        while place.seq < end && bytes < AHEAD_BYTES {
            let read = segment::read_record(&place.file, place.offset).map_err(io_error(&place.segment.path))?;
            let record = match read {
                Ok((data, clear)) if clear.first_seq == place.seq => {
                    context.decode(&data, place.segment.first_seq, place.offset).ok()
                }
                Ok(_) => None,
                Err(_) => match self.segment_at(place.seq).filter(|s| s.first_seq != place.segment.first_seq) {
                    Some(next) => {
                        place = open_place(next)?;
                        continue;
                    }
                    None => None,
                },
            };
            let Some(record) = record else {
                let at = place.seq;
                return Ok((records, None, Some(at)));
            };
            bytes += record.end - record.start;
            place.offset = record.end;
            place.seq = record.next_seq();
            records.push(record);
        }
        Ok((records, Some(place), None))
    }

    /// The file that begins with `seq`.
    fn segment_at(&self, seq: u64) -> Option<Segment> {
        self.state().segments.iter().find(|s| s.first_seq == seq).cloned()
    }

    fn find_place(&self, seq: u64) -> Result<Place, SpoolError> {
        let segment = {
            let state = self.state();
            let after = state.segments.partition_point(|s| s.first_seq <= seq);
            after.checked_sub(1).map(|i| state.segments[i].clone())
        };
        let mut place = open_place(segment.ok_or(SpoolError::Damaged(seq))?)?;
        while place.offset < place.segment.bytes {
            match segment::peek_record(&place.file, place.offset).map_err(io_error(&place.segment.path))? {
                Ok(clear) if clear.first_seq == place.seq => {
                    if seq < place.seq + u64::from(clear.count) {
                        break;
                    }
                    place.seq += u64::from(clear.count);
                    place.offset += clear.size as u64;
                }
                _ => return Err(SpoolError::Damaged(place.seq)),
            }
        }
        Ok(place)
    }

    /// File and offset of the record that holds `seq`, or of the end.
    pub(super) fn locate(&self, seq: u64) -> Result<(u64, u64), SpoolError> {
        if self.state().segments.is_empty() {
            return Ok((0, 0));
        }
        let place = self.find_place(seq)?;
        Ok((place.segment.first_seq, place.offset))
    }
}

fn open_place(segment: Segment) -> Result<Place, SpoolError> {
    let file = File::open(&segment.path).map_err(io_error(&segment.path))?;
    let seq = segment.first_seq;
    Ok(Place { file: Arc::new(file), segment, offset: HEADER, seq })
}
