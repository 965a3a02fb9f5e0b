//! From pgoutput messages to blocks: counts events of a transaction, skips what is spooled already, writes lines.
//!
//! No waiting and no I/O here. Events are counted before anything is left out, so that a transaction that comes again
//! falls on the same counts.

use super::catalog::Relation;
use super::decode::{self, DecodeError, Message, Old, Tuple, Value};
use super::encode::{self, EncodeError, Shape};
use super::position::{Cursor, MovedRow, Step};
use clarity_wire::body::{BodyHeader, BodyWriter, Op, StreamSchema};
use clarity_wire::limits::MAX_EVENT_BYTES;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};

/// A block is cut at this size or number of events.
pub const BLOCK_BYTES: usize = 512 << 10;
pub const BLOCK_EVENTS: u32 = 10_000;
/// `pg_logical_emit_message` prefix of our heartbeats.
pub const HEARTBEAT_PREFIX: &str = "clarity";

/// Lines that wait to be compressed and spooled.
pub struct Draft {
    pub writer: BodyWriter,
    pub header: BodyHeader,
    pub step: Step,
    pub last_commit_us: Option<i64>,
}

/// The stream cannot be followed any more: a message that carries positions is unreadable.
#[derive(Debug, thiserror::Error)]
#[error("the replication stream cannot be read: {0}")]
pub struct Broken(pub DecodeError);

/// Commit time, transaction id and commit LSN of an event.
type At = (i64, u64, u64);

struct Transaction {
    commit_lsn: u64,
    commit_us: i64,
    xid: u64,
    index: u64,
    /// Events up to this count are spooled already.
    skip: u64,
}

/// None as `shape`: the local policy or the source's patterns leave this table out.
struct Known {
    shape: Option<Shape>,
    /// Block and index of the schema in that block's header.
    place: Option<(u64, u32)>,
}

pub struct Assembler {
    writer: BodyWriter,
    streams: Vec<StreamSchema>,
    block: u64,
    cursor: Cursor,
    resume: Cursor,
    transaction: Option<Transaction>,
    relations: HashMap<u32, Known>,
    last_commit_us: Option<i64>,
    /// Of this block, where tables have snapshots; see `position::Moved`.
    moved: Option<Vec<(String, MovedRow)>>,
    /// A recent full transaction id, to widen 32-bit ones by.
    xid: u64,
}

impl Assembler {
    /// Begins after `resume`; `xid` is a current transaction id in 64 bits.
    pub fn new(resume: Cursor, xid: u64, snapshots: bool) -> Self {
        Self {
            writer: BodyWriter::default(),
            streams: Vec::new(),
            block: 0,
            cursor: resume,
            resume,
            transaction: None,
            relations: HashMap::new(),
            last_commit_us: None,
            moved: snapshots.then(Vec::new),
            xid,
        }
    }

    /// Takes one message. A table that must be described first is given back; answer with [`Self::describe`].
    pub fn take(&mut self, bytes: &[u8]) -> Result<Option<Relation>, Broken> {
        match decode::decode(bytes) {
            Ok(Message::Begin { commit_lsn, commit_us, xid }) => self.begin(commit_lsn, commit_us, xid),
            Ok(Message::Commit { end_lsn, .. }) => {
                self.transaction = None;
                self.cursor.safe_lsn = self.cursor.safe_lsn.max(end_lsn);
            }
            Ok(Message::Insert { relation, new }) => self.change(Op::Insert, relation, bytes, None, Some(&new)),
            Ok(Message::Update { relation, old, new }) => {
                self.change(Op::Update, relation, bytes, old.as_ref(), Some(&new));
            }
            Ok(Message::Delete { relation, old }) => self.change(Op::Delete, relation, bytes, Some(&old), None),
            Ok(Message::Truncate { relations }) => {
                for relation in relations.iter() {
                    self.change(Op::Truncate, relation, bytes, None, None);
                }
            }
            Ok(Message::Logical { transactional: true, prefix: HEARTBEAT_PREFIX, .. }) => {
                if let Some((commit_us, xid, lsn)) = self.next_event() {
                    self.writer.begin(Op::Heartbeat, 0, commit_us, xid, lsn);
                    self.writer.end();
                }
            }
            Ok(Message::Relation(message)) => return Ok(Some(Relation::from(&message))),
            Ok(Message::Logical { .. } | Message::Other) => {}
            Err(error) if matches!(bytes.first(), None | Some(b'B' | b'C' | b'R')) => return Err(Broken(error)),
            Err(error) => {
                let relation = decode::relation_of(bytes);
                if let Some(at) = self.next_event_of(relation) {
                    self.poison(relation, at, bytes, &error.to_string(), None);
                }
            }
        }
        Ok(None)
    }

    /// Takes a message of which only the start was kept.
    pub fn take_oversized(&mut self, prefix: &[u8], bytes: u64, hash: &[u8; 32]) {
        let relation = decode::relation_of(prefix);
        // After kind and table comes `N`, or an old key before it: then the key is there already.
        let values = Tuple::values_of_prefix(prefix.get(6..).unwrap_or_default());
        if let Some(at) = self.next_event_of(relation) {
            self.stub(relation, at, bytes, hash, values);
        }
    }

    /// Answers [`Self::take`]. No shape: the table is not to be read.
    pub fn describe(&mut self, relation: u32, shape: Option<Shape>) {
        // The same description again (each session begins with one) keeps its place in the block.
        if let (Some(known), Some(new)) = (self.relations.get_mut(&relation), &shape)
            && known.shape.as_ref().is_some_and(|old| old.schema == new.schema)
        {
            known.shape = shape;
            return;
        }
        self.relations.insert(relation, Known { shape, place: None });
    }

    /// The server's word that nothing of ours is before `log_end`, as an event of its own, so that it can be confirmed
    /// like any other. Only between transactions.
    pub fn quiet(&mut self, log_end: u64, server_us: i64) {
        if self.transaction.is_none() && log_end > self.cursor.safe_lsn {
            self.writer.begin(Op::Heartbeat, 0, server_us, 0, log_end);
            self.writer.end();
            self.cursor.safe_lsn = log_end;
            self.last_commit_us = Some(server_us);
        }
    }

    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    pub fn is_empty(&self) -> bool {
        self.writer.is_empty()
    }

    pub fn is_full(&self) -> bool {
        self.writer.len() >= BLOCK_BYTES || self.writer.events() >= BLOCK_EVENTS
    }

    /// Cuts the block. `fresh` is written into next.
    pub fn cut(&mut self, fresh: BodyWriter) -> Draft {
        self.block += 1;
        let moved = self.moved.as_mut().map(std::mem::take).unwrap_or_default();
        Draft {
            writer: std::mem::replace(&mut self.writer, fresh),
            header: BodyHeader { v: 1, streams: std::mem::take(&mut self.streams), chunks: Vec::new() },
            step: Step::Stream(self.cursor, moved),
            last_commit_us: self.last_commit_us.take(),
        }
    }

    fn begin(&mut self, commit_lsn: u64, commit_us: i64, xid: u32) {
        // Ids near each other in time are near each other in number: less than half the circle apart.
        let distance = xid.wrapping_sub(self.xid as u32) as i32;
        self.xid = self.xid.saturating_add_signed(i64::from(distance));
        let skip = match commit_lsn.cmp(&self.resume.commit_lsn) {
            std::cmp::Ordering::Less => u64::MAX,
            std::cmp::Ordering::Equal => self.resume.index,
            std::cmp::Ordering::Greater => 0,
        };
        self.transaction = Some(Transaction { commit_lsn, commit_us, xid: self.xid, index: 0, skip });
    }

    /// Counts an event. None: it is spooled already.
    fn next_event(&mut self) -> Option<At> {
        let t = self.transaction.as_mut()?;
        t.index += 1;
        if t.index <= t.skip {
            return None;
        }
        self.cursor.commit_lsn = t.commit_lsn;
        self.cursor.index = t.index;
        self.last_commit_us = Some(t.commit_us);
        Some((t.commit_us, t.xid, t.commit_lsn))
    }

    /// [`Self::next_event`], unless the table is not to be read: of such a one not even a trace is kept.
    fn next_event_of(&mut self, relation: Option<u32>) -> Option<At> {
        let before = (self.cursor, self.last_commit_us);
        let at = self.next_event()?;
        if relation.and_then(|r| self.relations.get(&r)).is_some_and(|known| known.shape.is_none()) {
            (self.cursor, self.last_commit_us) = before;
            return None;
        }
        Some(at)
    }

    fn change(&mut self, op: Op, relation: u32, bytes: &[u8], old: Option<&Old<'_>>, new: Option<&Tuple<'_>>) {
        let Some(at) = self.next_event_of(Some(relation)) else { return };
        let Some(known) = self.relations.get_mut(&relation) else {
            // Of an unknown table we cannot say that it may be read, so nothing of its content is shown.
            return self.poison(None, at, &[], &DecodeError::UnknownTable.to_string(), None);
        };
        let Some(shape) = &known.shape else { return };
        let stream = place(&mut known.place, self.block, &mut self.streams, shape);
        let (commit_us, xid, lsn) = at;
        self.writer.begin(op, stream, commit_us, xid, lsn);
        let mut written: Result<(), EncodeError> = Ok(());
        if let Some(old) = old {
            written = encode::old(&mut self.writer, shape, old);
        }
        if let (Ok(()), Some(new)) = (&written, new) {
            written = encode::row(&mut self.writer, shape, new);
        }
        let carrier = new.copied().or(old.map(|o| o.tuple));
        match written {
            Ok(()) if self.writer.end() <= MAX_EVENT_BYTES => {
                if let (Some(moved), Some(old), Some(new)) = (&mut self.moved, old, new)
                    && old.key_only
                    && let Some(key) = moved_key(shape, new)
                {
                    moved.push((shape.schema.name.clone(), MovedRow { key, xid }));
                }
            }
            Ok(()) => {
                self.writer.take_back();
                let hash = Sha256::digest(bytes).into();
                let values = carrier.iter().flat_map(Tuple::values);
                self.stub(Some(relation), at, bytes.len() as u64, &hash, values);
            }
            Err(error) => {
                self.writer.take_back();
                self.poison(Some(relation), at, bytes, &error.to_string(), carrier.as_ref());
            }
        }
    }

    fn poison(
        &mut self,
        relation: Option<u32>,
        (commit_us, xid, lsn): At,
        bytes: &[u8],
        why: &str,
        tuple: Option<&Tuple<'_>>,
    ) {
        const SHOWN_BYTES: usize = 256;
        let shape = self.shape_of(relation);
        self.writer.begin(Op::Poison, shape.as_ref().map_or(0, |(stream, _)| *stream), commit_us, xid, lsn);
        if let (Some((_, shape)), Some(tuple)) = (&shape, tuple) {
            self.writer.row();
            encode::remains(&mut self.writer, shape, tuple.values(), false);
            self.writer.end_cells();
        }
        self.writer.count(bytes.len() as u64);
        // Where something is masked, or might be, no byte of a row is shown.
        if shape.is_some_and(|(_, shape)| shape.masks.is_none()) {
            let shown = hex::encode(&bytes[..bytes.len().min(SHOWN_BYTES)]);
            self.writer.message(&format!("{why}; the message begins {shown}"));
        } else {
            self.writer.message(why);
        }
        self.writer.end();
    }

    fn stub<'a>(
        &mut self,
        relation: Option<u32>,
        (commit_us, xid, lsn): At,
        bytes: u64,
        hash: &[u8; 32],
        values: impl Iterator<Item = Value<'a>>,
    ) {
        let shape = self.shape_of(relation);
        self.writer.begin(Op::Stub, shape.as_ref().map_or(0, |(stream, _)| *stream), commit_us, xid, lsn);
        if let Some((_, shape)) = &shape {
            self.writer.old();
            encode::remains(&mut self.writer, shape, values, true);
            self.writer.end_cells();
        }
        self.writer.count(bytes);
        // Of a row that is masked not even the hash: without a key, values could be tried against it.
        if shape.is_some_and(|(_, shape)| shape.masks.is_some()) {
            self.writer.message("masked");
        } else {
            self.writer.message(&format!("sha256:{}", hex::encode(hash)));
        }
        self.writer.end();
    }

    /// For the rare events that are not plain rows; a copy keeps the borrows simple.
    fn shape_of(&mut self, relation: Option<u32>) -> Option<(u32, Shape)> {
        let known = self.relations.get_mut(&relation?)?;
        let shape = known.shape.clone()?;
        Some((place(&mut known.place, self.block, &mut self.streams, &shape), shape))
    }
}

/// The new key of a row that was given one, if it has values that the change did not carry.
fn moved_key(shape: &Shape, new: &Tuple<'_>) -> Option<BTreeMap<String, String>> {
    if !new.values().any(|value| value == Value::Unchanged) {
        return None;
    }
    // A key that is masked stands in no position: without it the snapshot begins anew.
    if shape.masks_key() {
        return Some(BTreeMap::new());
    }
    let cells = shape.schema.columns.iter().zip(new.values()).filter(|(column, _)| column.key);
    let key = cells.filter_map(|(column, value)| match value {
        Value::Text(text) => Some((column.name.clone(), String::from_utf8_lossy(text).into_owned())),
        Value::Null | Value::Unchanged => None,
    });
    Some(key.collect())
}

fn place(place: &mut Option<(u64, u32)>, block: u64, streams: &mut Vec<StreamSchema>, shape: &Shape) -> u32 {
    match *place {
        Some((b, index)) if b == block => index,
        _ => {
            let index = streams.len() as u32;
            streams.push(shape.schema.clone());
            *place = Some((block, index));
            index
        }
    }
}
