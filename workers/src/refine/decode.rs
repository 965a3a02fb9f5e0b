//! From segments to what they change: the part of refining that needs no database, done off the async threads.

use super::cast::{clean, text_of, time_of};
use super::catalog::{Catalog, StreamView};
use super::layout::Layout;
use super::record::{Act, Change, Snapshot, bad_snapshot};
use super::samples::{Cause, Fixed, RowMeta, Samples, missing, no_time};
use clarity_domain::ids::StreamId;
use clarity_domain::mapping::StreamKind;
use clarity_domain::time::{MINUTE, Micros, bucket_start};
use clarity_store::dead_letter::DeadLetter;
use clarity_store::refine::cursor::MinuteCount;
use clarity_store::refine::{Place, Segment};
use clarity_store::stream::Progress;
use clarity_wire::body::{self, BodyHeader, Cell, Event, Op, StreamSchema};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A segment, decompressed.
pub struct Opened {
    pub epoch: i32,
    pub first_seq: i64,
    pub event_count: i32,
    pub received_at: Micros,
    pub body_bytes: usize,
    /// The raw body; or why it cannot be read.
    pub raw: Result<(Vec<u8>, BodyHeader), String>,
}

/// Decompresses a segment and reads its header.
pub fn open(segment: &Segment) -> Opened {
    let raw = body::decompress(&segment.body).map_err(|e| e.to_string());
    let raw = raw.and_then(|raw| {
        let header = body::read(&raw).map(|(header, _)| header).map_err(|e| e.to_string())?;
        Ok((raw, header))
    });
    Opened {
        epoch: segment.epoch,
        first_seq: segment.first_seq,
        event_count: segment.event_count,
        received_at: segment.received_at,
        body_bytes: segment.body.len(),
        raw,
    }
}

/// What a group changes in one stream.
pub struct StreamBatch {
    pub view: Arc<StreamView>,
    pub samples: Option<Samples>,
    pub changes: Vec<Change>,
    /// The group's last truncate, which came before all of `changes`.
    pub truncate: Option<(i32, i64, u64, Micros)>,
    pub progress: Progress,
    /// How its records are read: the layout of its last event.
    pub layout: Option<Arc<Layout>>,
}

impl StreamBatch {
    pub fn id(&self) -> StreamId {
        self.view.id
    }
}

/// What a group of segments changes.
pub struct Decoded {
    pub from: Place,
    pub to: Place,
    pub streams: Vec<StreamBatch>,
    pub dead: Vec<DeadLetter>,
    pub events: i64,
    pub path_source_at: Option<Micros>,
    pub change_source_at: Option<Micros>,
    /// Oldest commit of a streamed change: what waited longest.
    pub oldest_change_at: Option<Micros>,
    pub minutes: Vec<MinuteCount>,
}

/// Reads a group of segments that follow each other. `replayed`: events whose letters were replayed, with the version of
/// the mapping that they were read with.
pub fn decode(group: &[Opened], catalog: &Catalog, replayed: &HashMap<Place, i32>) -> Decoded {
    let from = group.first().map_or(Place { epoch: 1, seq: 1 }, |s| Place { epoch: s.epoch, seq: s.first_seq });
    let mut decoder = Decoder::new(catalog, replayed, from);
    for segment in group {
        decoder.segment(segment);
    }
    decoder.out
}

/// Reads single events, each with its segment's header, under the sequences they had. Letters are only given for those
/// that fail again.
pub fn decode_letters(letters: &[(DeadLetter, Arc<BodyHeader>, Micros)], catalog: &Catalog) -> Decoded {
    let newest: HashMap<Place, i32> = letters.iter().map(|l| (l.0.at, i32::MAX)).collect();
    let from = letters.first().map_or(Place { epoch: 1, seq: 1 }, |l| l.0.at);
    let mut decoder = Decoder::new(catalog, &newest, from);
    for (letter, header, received_at) in letters {
        decoder.open_header(header);
        let line = Line {
            at: letter.at,
            segment_first_seq: letter.segment_first_seq,
            number: letter.line_number,
            received_at: *received_at,
        };
        decoder.line(&letter.payload, header, line);
    }
    decoder.out
}

#[derive(Clone, Copy)]
struct Line {
    at: Place,
    segment_first_seq: i64,
    number: i32,
    received_at: Micros,
}

/// A stream of the segment's header.
struct Slot {
    batch: Option<usize>,
    schema: StreamSchema,
    /// Layout for the mapping version last used.
    layout: Option<Arc<Layout>>,
    fixed: Fixed,
}

struct Decoder<'a> {
    catalog: &'a Catalog,
    replayed: &'a HashMap<Place, i32>,
    slots: Vec<Slot>,
    snapshots: Vec<Option<Arc<Snapshot>>>,
    batches: HashMap<String, usize>,
    minutes: BTreeMap<Micros, MinuteCount>,
    out: Decoded,
}

impl<'a> Decoder<'a> {
    fn new(catalog: &'a Catalog, replayed: &'a HashMap<Place, i32>, from: Place) -> Self {
        let out = Decoded {
            from,
            to: from,
            streams: Vec::new(),
            dead: Vec::new(),
            events: 0,
            path_source_at: None,
            change_source_at: None,
            oldest_change_at: None,
            minutes: Vec::new(),
        };
        let (batches, minutes) = (HashMap::new(), BTreeMap::new());
        Self { catalog, replayed, slots: Vec::new(), snapshots: Vec::new(), batches, minutes, out }
    }

    fn segment(&mut self, segment: &Opened) {
        let at = |i: i64| Place { epoch: segment.epoch, seq: segment.first_seq + i };
        match &segment.raw {
            Err(why) => {
                let line = Line {
                    at: at(0),
                    segment_first_seq: segment.first_seq,
                    number: 0,
                    received_at: segment.received_at,
                };
                let cause = format!("the segment of {} events cannot be read: {why}", segment.event_count);
                self.dead("", cause.into(), b"", line);
            }
            Ok((raw, header)) => {
                self.open_header(header);
                let Ok((_, lines)) = body::read(raw) else { return };
                for (i, bytes) in lines.take(segment.event_count as usize).enumerate() {
                    let line = Line {
                        at: at(i as i64),
                        segment_first_seq: segment.first_seq,
                        number: i as i32,
                        received_at: segment.received_at,
                    };
                    self.line(bytes, header, line);
                }
            }
        }
        let minute = bucket_start(segment.received_at, MINUTE);
        let count = self.minutes.entry(minute).or_insert(MinuteCount { minute, events: 0, bytes: 0, slowest_ms: 0 });
        count.events += i64::from(segment.event_count);
        count.bytes += segment.body_bytes as i64;
        self.out.events += i64::from(segment.event_count);
        self.out.to = at(i64::from(segment.event_count));
        self.out.minutes = self.minutes.values().copied().collect();
    }

    fn open_header(&mut self, header: &BodyHeader) {
        // Layouts and columns stay while the next segment has the same schemas, as it nearly always does.
        let same = self.slots.len() == header.streams.len()
            && self.slots.iter().zip(&header.streams).all(|(slot, schema)| slot.schema == *schema);
        if !same {
            let slot =
                |schema: &StreamSchema| Slot { batch: None, schema: schema.clone(), layout: None, fixed: Fixed::new() };
            self.slots = header.streams.iter().map(slot).collect();
        }
        self.snapshots = header.chunks.iter().map(|c| Snapshot::parse(&c.snapshot).map(Arc::new)).collect();
    }

    fn line(&mut self, bytes: &[u8], header: &BodyHeader, line: Line) {
        let event = match body::read_event(bytes) {
            Ok(event) => event,
            Err(_) => return self.dead("", "the line is not an event".into(), bytes, line),
        };
        let source_at = plausible(event.commit_us);
        self.out.path_source_at = self.out.path_source_at.max(source_at);
        if event.op == Op::Heartbeat {
            return;
        }
        let index = event.stream as usize;
        let Some(schema) = header.streams.get(index) else {
            return self.dead("", "the event names a stream that the header lacks".into(), bytes, line);
        };
        if !matches!(event.op, Op::Read | Op::SnapshotEnd) {
            self.out.change_source_at = self.out.change_source_at.max(source_at);
            self.out.oldest_change_at = [self.out.oldest_change_at, source_at].into_iter().flatten().min();
        }
        if let Err(cause) = self.event(index, schema, event, line) {
            self.dead(&schema.name, cause, bytes, line);
        }
    }

    fn event(&mut self, index: usize, schema: &StreamSchema, event: Event<'_>, line: Line) -> Result<(), Cause> {
        let batch = self.batch(index, schema)?;
        let replayed = if self.replayed.is_empty() { None } else { self.replayed.get(&line.at) };
        let layout = self.layout(index, batch, replayed.copied(), line.at);
        let snapshot = match (event.op, event.chunk) {
            (Op::Read, Some(chunk)) => {
                Some(self.snapshots.get(chunk as usize).cloned().flatten().ok_or_else(bad_snapshot)?)
            }
            (Op::Read, None) => return Err(bad_snapshot()),
            _ => None,
        };
        let (slot, batch) = (&mut self.slots[index], &mut self.out.streams[batch]);
        batch.progress.events += 1;
        if event.op != Op::SnapshotEnd {
            batch.progress.last_event_at = batch.progress.last_event_at.max(plausible(event.commit_us));
        }
        match event.op {
            Op::Heartbeat => {}
            Op::SnapshotEnd => batch.progress.snapshot_rows = event.count.map(|n| n as i64),
            Op::Stub => {
                let size = event.count.unwrap_or_default();
                return Err(
                    format!("the event is larger than the limit of one event ({size} bytes at the source)").into()
                );
            }
            Op::Poison => {
                let why = event.message.as_deref().unwrap_or("no reason given");
                return Err(format!("the agent could not decode the event: {}", clean(why)).into());
            }
            Op::Truncate | Op::Delete if layout.spec.kind == StreamKind::Telemetry => batch.progress.deletes_kept += 1,
            Op::Truncate => {
                batch.changes.clear();
                batch.truncate = Some((line.at.epoch, line.at.seq, event.xid, event.commit_us));
                batch.progress.truncated_xid = Some(event.xid as i64);
            }
            Op::Insert | Op::Update | Op::Read if layout.spec.kind == StreamKind::Telemetry => {
                check_width(&layout, &event.row)?;
                let meta = RowMeta {
                    epoch: line.at.epoch,
                    seq: line.at.seq,
                    snapshot: event.op == Op::Read,
                    received_at: line.received_at,
                };
                let samples = batch.samples.get_or_insert_with(|| Samples::new(Arc::clone(&batch.view.known)));
                samples.push(&layout, &mut slot.fixed, &event.row, meta)?;
                // The row that stood at another place stays there: history is kept, and counted.
                let moved = |i: Option<usize>| i.is_some_and(|i| differs(&event.old, &event.row, i));
                if moved(layout.asset) || moved(layout.time) {
                    batch.progress.deletes_kept += 1;
                }
            }
            Op::Insert | Op::Update | Op::Delete | Op::Read => {
                let change = |key: String, act: Act| Change {
                    key,
                    epoch: line.at.epoch,
                    seq: line.at.seq,
                    xid: event.xid,
                    at: event.commit_us,
                    act,
                };
                records(&layout, &event, snapshot, change, &mut batch.changes)?;
            }
        }
        batch.layout = Some(layout);
        Ok(())
    }

    fn batch(&mut self, index: usize, schema: &StreamSchema) -> Result<usize, Cause> {
        if let Some(batch) = self.slots[index].batch {
            return Ok(batch);
        }
        let name = clean(&schema.name);
        let batch = match self.batches.get(name.as_ref()) {
            Some(batch) => *batch,
            None => {
                let view = self.catalog.streams.get(name.as_ref()).ok_or("the stream has no mapping")?;
                self.out.streams.push(StreamBatch {
                    view: Arc::clone(view),
                    samples: None,
                    changes: Vec::new(),
                    truncate: None,
                    progress: Progress::default(),
                    layout: None,
                });
                self.batches.insert(name.into_owned(), self.out.streams.len() - 1);
                self.out.streams.len() - 1
            }
        };
        self.slots[index].batch = Some(batch);
        Ok(batch)
    }

    fn layout(&mut self, index: usize, batch: usize, version: Option<i32>, at: Place) -> Arc<Layout> {
        let view = &self.out.streams[batch].view;
        let mapping = match version {
            Some(i32::MAX) => view.mappings.last(),
            Some(version) => view.mapping_version(version),
            None => None,
        };
        let mapping = mapping.unwrap_or_else(|| view.mapping_at(at));
        let slot = &mut self.slots[index];
        match &slot.layout {
            Some(layout) if layout.version == mapping.version => Arc::clone(layout),
            _ => {
                let layout = Arc::new(Layout::new(&slot.schema, &mapping.spec, mapping.version));
                slot.fixed = Fixed::new();
                slot.layout = Some(Arc::clone(&layout));
                layout
            }
        }
    }

    fn dead(&mut self, stream: &str, cause: Cause, payload: &[u8], line: Line) {
        let mut hash = Sha256::new();
        hash.update(stream.as_bytes());
        hash.update([0]);
        // Sizes and the like do not make another cause.
        hash.update(cause.chars().filter(|c| !c.is_ascii_digit()).collect::<String>().as_bytes());
        self.out.dead.push(DeadLetter {
            at: line.at,
            stream_name: clean(stream).into_owned(),
            fingerprint: hex::encode(&hash.finalize()[..8]),
            cause: clean(&cause).into_owned(),
            payload: payload.to_vec(),
            segment_first_seq: line.segment_first_seq,
            line_number: line.number,
        });
    }
}

/// A time at the source that the database can hold.
fn plausible(at: Micros) -> Option<Micros> {
    time_of(&Cell::Int(at)).filter(|_| at > 100_000_000_000_000)
}

fn check_width(layout: &Layout, row: &[Cell<'_>]) -> Result<(), Cause> {
    if row.len() == layout.columns.len() {
        return Ok(());
    }
    Err("the row has another number of cells than its schema has columns".into())
}

fn differs(old: &[Cell<'_>], row: &[Cell<'_>], i: usize) -> bool {
    match (old.get(i), row.get(i)) {
        (None | Some(Cell::Absent), _) | (_, None | Some(Cell::Absent)) => false,
        (old, new) => old != new,
    }
}

fn records(
    layout: &Layout,
    event: &Event<'_>,
    snapshot: Option<Arc<Snapshot>>,
    change: impl Fn(String, Act) -> Change,
    out: &mut Vec<Change>,
) -> Result<(), Cause> {
    if event.op == Op::Delete {
        let old = if event.old.is_empty() { &event.row } else { &event.old };
        check_width(layout, old)?;
        out.push(change(key_of(layout, old), Act::Remove));
        return Ok(());
    }
    check_width(layout, &event.row)?;
    check_parts(layout, &event.row)?;
    let key = key_of(layout, &event.row);
    let (mut image, mut absent) = (Map::new(), Vec::new());
    for (i, (column, cell)) in layout.columns.iter().zip(&event.row).enumerate() {
        // A full old row carries what the new one left out because it did not change.
        let cell = if *cell == Cell::Absent { event.old.get(i).unwrap_or(cell) } else { cell };
        match value_of(cell) {
            Some(value) => _ = image.insert(clean(&column.name).into_owned(), value),
            None => absent.push(clean(&column.name).into_owned()),
        }
    }
    if let Some(snapshot) = snapshot {
        out.push(change(key, Act::Read { image, snapshot }));
        return Ok(());
    }
    let old_key = (event.op == Op::Update && event.old.len() == layout.columns.len())
        .then(|| key_of(layout, &event.old))
        .filter(|old| *old != key);
    out.push(change(key, Act::Put { image, absent, moved_from: old_key.clone() }));
    if let Some(old_key) = old_key {
        out.push(change(old_key, Act::Remove));
    }
    Ok(())
}

/// States need a machine, a state and a time; machines a key.
fn check_parts(layout: &Layout, row: &[Cell<'_>]) -> Result<(), Cause> {
    if !matches!(layout.spec.kind, StreamKind::States | StreamKind::Assets) {
        return Ok(());
    }
    let named = layout.spec.asset.as_deref().unwrap_or("machine");
    let asset = layout.asset.and_then(|i| row.get(i)).ok_or_else(|| missing(named))?;
    if matches!(asset, Cell::Null) || text_of(asset).is_some_and(|t| t.is_empty() || t.len() > 500) {
        return Err(format!("column {named} names no machine").into());
    }
    if layout.spec.kind == StreamKind::Assets {
        return Ok(());
    }
    let named = layout.spec.time.as_deref().unwrap_or("time");
    let time = layout.time.and_then(|i| row.get(i)).ok_or_else(|| missing(named))?;
    if *time != Cell::Absent && time_of(time).is_none() {
        return Err(no_time(layout, time));
    }
    match layout.state.and_then(|i| row.get(i)) {
        None => Err(missing("state")),
        Some(Cell::Null) => Err("the column of the state is null".into()),
        Some(_) => Ok(()),
    }
}

/// The key's cells as JSON text; a hash of it where it is long or the whole row.
fn key_of(layout: &Layout, row: &[Cell<'_>]) -> String {
    let cells = layout.identity().iter().map(|i| row.get(*i).and_then(value_of).unwrap_or(Value::Null)).collect();
    let text = Value::Array(cells).to_string();
    if layout.key.is_empty() || text.len() > 1_000 {
        return format!("sha256:{}", hex::encode(Sha256::digest(text.as_bytes())));
    }
    text
}

/// `None` for a cell that the event did not carry.
fn value_of(cell: &Cell<'_>) -> Option<Value> {
    Some(match cell {
        Cell::Absent => return None,
        Cell::Null => Value::Null,
        Cell::Bool(b) => (*b).into(),
        Cell::Int(n) => (*n).into(),
        Cell::Float(n) => (*n).into(),
        Cell::Text(text) => clean(text).into_owned().into(),
    })
}
