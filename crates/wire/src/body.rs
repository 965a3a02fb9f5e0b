//! Batch bodies: newline-delimited JSON under zstd, readable with `zstd -d | jq`.
//!
//! First line, the header: `{"v":1,"streams":[…],"chunks":[…]}`, with the schema of every stream that occurs. Then a
//! line an event:
//!
//! ```text
//! {"o":"i","s":0,"t":1764000000000000,"x":7712,"l":26304872,"r":[17,"ENG-001",554.36,null]}
//! ```
//!
//! `o` operation, `s` stream (index in the header), `t` commit time at the source in µs, `x` transaction id (64 bit), `l`
//! log position of the commit (for Postgres the LSN as a number), `r` the row's cells in the order of the stream's
//! columns, `k` the old row or key where the source sends it, `c` the snapshot chunk (index in the header).
//!
//! A cell is a number, `true`/`false`, a string or `null`, exactly as the source wrote it: integers and finite floats as
//! numbers, everything else (numeric, times, arrays, JSON, `NaN`, `Infinity`) as the source's text. `[]` is *absent*: the
//! event did not carry the column (an unchanged TOAST value, a column that is not part of the key).

use crate::limits;
use serde::de::{self, Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::io::Read;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Op {
    #[serde(rename = "i")]
    Insert,
    #[serde(rename = "u")]
    Update,
    #[serde(rename = "d")]
    Delete,
    #[serde(rename = "t")]
    Truncate,
    /// A row that a snapshot chunk read.
    #[serde(rename = "r")]
    Read,
    /// A heartbeat that travelled the source's own log; no stream.
    #[serde(rename = "h")]
    Heartbeat,
    /// A stream's snapshot ended; `n` rows were read.
    #[serde(rename = "e")]
    SnapshotEnd,
    /// An event too large to carry: key in `k`, size in `n`, hash in `m`.
    #[serde(rename = "z")]
    Stub,
    /// An event that the agent could not decode: why in `m`.
    #[serde(rename = "!")]
    Poison,
}

/// First line of a body.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BodyHeader {
    pub v: u8,
    pub streams: Vec<StreamSchema>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chunks: Vec<SnapshotChunk>,
}

/// A stream as it was when these events happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamSchema {
    /// `schema.table`, topic or subject.
    pub name: String,
    pub columns: Vec<Column>,
    /// Whether an update or delete carries the whole old row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full_old_row: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    #[serde(rename = "n")]
    pub name: String,
    /// The source's type, e.g. `timestamptz`, `numeric(12,3)`, `text[]`; for a domain its base type.
    #[serde(rename = "t")]
    pub type_name: String,
    /// Part of the key.
    #[serde(rename = "k", default, skip_serializing_if = "std::ops::Not::not")]
    pub key: bool,
    /// The column's comment at the source; `unit: °C` in it names the unit.
    #[serde(rename = "c", default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A range of a table that one query read, and what that query could see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnapshotChunk {
    /// Index of the stream in the header.
    #[serde(rename = "s")]
    pub stream: u32,
    /// `pg_current_snapshot()` of that query: `xmin:xmax:xip,…`.
    pub snapshot: String,
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'a> {
    /// The event did not carry it.
    Absent,
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
}

/// One line, borrowing from the decompressed body.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Event<'a> {
    #[serde(rename = "o")]
    pub op: Op,
    #[serde(rename = "s", default)]
    pub stream: u32,
    /// Commit time at the source, µs since the epoch; for a snapshot row, when it was read.
    #[serde(rename = "t", default)]
    pub commit_us: i64,
    #[serde(rename = "x", default)]
    pub xid: u64,
    #[serde(rename = "l", default)]
    pub lsn: u64,
    #[serde(rename = "r", default, borrow)]
    pub row: Vec<Cell<'a>>,
    #[serde(rename = "k", default, borrow)]
    pub old: Vec<Cell<'a>>,
    #[serde(rename = "c", default)]
    pub chunk: Option<u32>,
    #[serde(rename = "n", default)]
    pub count: Option<u64>,
    #[serde(rename = "m", default, borrow)]
    pub message: Option<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Cell<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct CellVisitor;
        impl<'de> Visitor<'de> for CellVisitor {
            type Value = Cell<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, string, boolean, null or []")
            }
            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Cell::Null)
            }
            fn visit_bool<E>(self, v: bool) -> Result<Self::Value, E> {
                Ok(Cell::Bool(v))
            }
            fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
                Ok(Cell::Int(v))
            }
            fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
                Ok(i64::try_from(v).map_or_else(|_| Cell::Text(v.to_string().into()), Cell::Int))
            }
            fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
                Ok(Cell::Float(v))
            }
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(Cell::Text(Cow::Borrowed(v)))
            }
            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(Cell::Text(Cow::Owned(v.to_owned())))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                match seq.next_element::<de::IgnoredAny>()? {
                    None => Ok(Cell::Absent),
                    Some(_) => Err(de::Error::custom("a cell's array must be empty")),
                }
            }
        }
        d.deserialize_any(CellVisitor)
    }
}

/// Why a body cannot be read. Ingest quarantines such a batch and marks its range.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BodyError {
    #[error("the batch is not readable zstd: {0}")]
    Compression(String),
    #[error("the batch has more than {} bytes after decompression", limits::MAX_BATCH_RAW_BYTES)]
    TooLarge,
    #[error("the batch decompresses to more than {} times its size", limits::MAX_BATCH_RATIO)]
    Ratio,
    #[error("the batch's first line is not a header: {0}")]
    Header(String),
    #[error("the batch speaks body version {0}; this side reads version 1")]
    Version(u8),
}

/// Decompresses a body within the limits.
pub fn decompress(body: &[u8]) -> Result<Vec<u8>, BodyError> {
    let limit = limits::MAX_BATCH_RAW_BYTES.min(body.len().saturating_mul(limits::MAX_BATCH_RATIO));
    let decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(|e| BodyError::Compression(e.to_string()))?;
    let mut raw = Vec::with_capacity(limit.min(body.len() * 8));
    decoder.take(limit as u64 + 1).read_to_end(&mut raw).map_err(|e| BodyError::Compression(e.to_string()))?;
    if raw.len() > limit {
        return Err(if limit == limits::MAX_BATCH_RAW_BYTES { BodyError::TooLarge } else { BodyError::Ratio });
    }
    Ok(raw)
}

/// Splits a decompressed body into its header and its event lines (without line ends, one for each sequence).
pub fn read(raw: &[u8]) -> Result<(BodyHeader, impl Iterator<Item = &[u8]>), BodyError> {
    let end = memchr::memchr(b'\n', raw).unwrap_or(raw.len());
    let header: BodyHeader = serde_json::from_slice(&raw[..end]).map_err(|e| BodyError::Header(e.to_string()))?;
    if header.v != 1 {
        return Err(BodyError::Version(header.v));
    }
    let mut rest = raw.get(end + 1..).unwrap_or_default();
    let lines = std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line)
    });
    Ok((header, lines))
}

/// Reads one event line.
pub fn read_event(line: &[u8]) -> Result<Event<'_>, serde_json::Error> {
    serde_json::from_slice(line)
}

/// Writes event lines into a buffer that is used again and again.
#[derive(Default)]
pub struct BodyWriter {
    lines: Vec<u8>,
    events: u32,
    cells: usize,
    event_start: usize,
}

impl BodyWriter {
    /// Begins a line. Cells follow with [`Self::row`] and the `cell_*` calls, then [`Self::end`].
    pub fn begin(&mut self, op: Op, stream: u32, commit_us: i64, xid: u64, lsn: u64) {
        self.event_start = self.lines.len();
        self.lines.extend_from_slice(match op {
            Op::Insert => b"{\"o\":\"i\",\"s\":",
            Op::Update => b"{\"o\":\"u\",\"s\":",
            Op::Delete => b"{\"o\":\"d\",\"s\":",
            Op::Truncate => b"{\"o\":\"t\",\"s\":",
            Op::Read => b"{\"o\":\"r\",\"s\":",
            Op::Heartbeat => b"{\"o\":\"h\",\"s\":",
            Op::SnapshotEnd => b"{\"o\":\"e\",\"s\":",
            Op::Stub => b"{\"o\":\"z\",\"s\":",
            Op::Poison => b"{\"o\":\"!\",\"s\":",
        });
        self.integer(stream);
        self.lines.extend_from_slice(b",\"t\":");
        self.integer(commit_us);
        self.lines.extend_from_slice(b",\"x\":");
        self.integer(xid);
        self.lines.extend_from_slice(b",\"l\":");
        self.integer(lsn);
    }

    /// Names the snapshot chunk this row was read by.
    pub fn chunk(&mut self, index: u32) {
        self.lines.extend_from_slice(b",\"c\":");
        self.integer(index);
    }

    pub fn count(&mut self, n: u64) {
        self.lines.extend_from_slice(b",\"n\":");
        self.integer(n);
    }

    pub fn message(&mut self, text: &str) {
        self.lines.extend_from_slice(b",\"m\":");
        self.string(text);
    }

    /// Opens the row's cells; close with [`Self::end_cells`].
    pub fn row(&mut self) {
        self.lines.extend_from_slice(b",\"r\":[");
        self.cells = 0;
    }

    /// Opens the cells of the old row or key.
    pub fn old(&mut self) {
        self.lines.extend_from_slice(b",\"k\":[");
        self.cells = 0;
    }

    pub fn end_cells(&mut self) {
        self.lines.push(b']');
    }

    pub fn cell_null(&mut self) {
        self.comma();
        self.lines.extend_from_slice(b"null");
    }

    pub fn cell_absent(&mut self) {
        self.comma();
        self.lines.extend_from_slice(b"[]");
    }

    pub fn cell_bool(&mut self, v: bool) {
        self.comma();
        self.lines.extend_from_slice(if v { b"true" } else { b"false" });
    }

    /// A number as the source wrote it; text that is no JSON number (`NaN`, `Infinity`, `007`) becomes a string.
    pub fn cell_number(&mut self, text: &str) {
        self.comma();
        if is_json_number(text.as_bytes()) {
            self.lines.extend_from_slice(text.as_bytes());
        } else {
            self.string(text);
        }
    }

    pub fn cell_text(&mut self, text: &str) {
        self.comma();
        self.string(text);
    }

    /// Ends the line; returns its size in bytes.
    pub fn end(&mut self) -> usize {
        self.lines.extend_from_slice(b"}\n");
        self.events += 1;
        self.lines.len() - self.event_start
    }

    /// Takes the line that was begun, or just ended, back.
    pub fn take_back(&mut self) {
        let ended = self.lines.last() == Some(&b'\n') && self.lines.len() > self.event_start;
        self.lines.truncate(self.event_start);
        self.events -= u32::from(ended);
    }

    pub fn events(&self) -> u32 {
        self.events
    }

    /// Bytes of the lines so far.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Compresses header and lines into a body and begins anew. Returns the body and its size before compression. Who
    /// writes many bodies keeps a [`Packer`].
    pub fn finish(&mut self, header: &BodyHeader, level: i32) -> std::io::Result<(Vec<u8>, u32)> {
        Packer::new(level)?.pack(header, self)
    }

    fn comma(&mut self) {
        if self.cells > 0 {
            self.lines.push(b',');
        }
        self.cells += 1;
    }

    fn integer(&mut self, n: impl itoa::Integer) {
        self.lines.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
    }

    fn string(&mut self, text: &str) {
        self.lines.push(b'"');
        let bytes = text.as_bytes();
        let mut from = 0;
        for (i, &b) in bytes.iter().enumerate() {
            let escape: &[u8] = match b {
                b'"' => b"\\\"",
                b'\\' => b"\\\\",
                b'\n' => b"\\n",
                b'\r' => b"\\r",
                b'\t' => b"\\t",
                0..=0x1f => &[],
                _ => continue,
            };
            self.lines.extend_from_slice(&bytes[from..i]);
            if escape.is_empty() {
                let hex = b"0123456789abcdef";
                self.lines.extend_from_slice(&[
                    b'\\',
                    b'u',
                    b'0',
                    b'0',
                    hex[usize::from(b >> 4)],
                    hex[usize::from(b & 15)],
                ]);
            } else {
                self.lines.extend_from_slice(escape);
            }
            from = i + 1;
        }
        self.lines.extend_from_slice(&bytes[from..]);
        self.lines.push(b'"');
    }
}

/// Compresses bodies one after another, with the same memory.
pub struct Packer {
    zstd: zstd::bulk::Compressor<'static>,
    raw: Vec<u8>,
    packed: Vec<u8>,
}

impl Packer {
    pub fn new(level: i32) -> std::io::Result<Self> {
        Ok(Self { zstd: zstd::bulk::Compressor::new(level)?, raw: Vec::new(), packed: Vec::new() })
    }

    /// Empties the writer into a body. Returns the body and its size before compression.
    pub fn pack(&mut self, header: &BodyHeader, writer: &mut BodyWriter) -> std::io::Result<(Vec<u8>, u32)> {
        self.raw.clear();
        serde_json::to_writer(&mut self.raw, header).map_err(std::io::Error::other)?;
        self.raw.push(b'\n');
        self.raw.extend_from_slice(&writer.lines);
        self.packed.clear();
        self.packed.reserve(zstd::zstd_safe::compress_bound(self.raw.len()));
        self.zstd.compress_to_buffer(&self.raw, &mut self.packed)?;
        writer.lines.clear();
        writer.events = 0;
        let raw_bytes = self.raw.len() as u32;
        // One body of many large rows must not be paid for ever after.
        self.raw.shrink_to(KEPT_BYTES);
        self.packed.shrink_to(KEPT_BYTES);
        // As large as it is: the buffer has room for what does not compress at all.
        Ok((self.packed.as_slice().to_vec(), raw_bytes))
    }
}

/// What a [`Packer`] keeps of its buffers at most.
const KEPT_BYTES: usize = 1 << 20;

/// Whether the text is a number by JSON's grammar.
fn is_json_number(text: &[u8]) -> bool {
    let digits = |t: &[u8]| t.iter().take_while(|b| b.is_ascii_digit()).count();
    let t = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(t);
    if whole == 0 || (whole > 1 && t[0] == b'0') {
        return false;
    }
    let mut t = &t[whole..];
    if let Some(rest) = t.strip_prefix(b".") {
        let n = digits(rest);
        if n == 0 {
            return false;
        }
        t = &rest[n..];
    }
    if let Some(rest) = t.strip_prefix(b"e").or_else(|| t.strip_prefix(b"E")) {
        let rest = rest.strip_prefix(b"+").or_else(|| rest.strip_prefix(b"-")).unwrap_or(rest);
        let n = digits(rest);
        if n == 0 {
            return false;
        }
        t = &rest[n..];
    }
    t.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(cells: &[Cell<'_>]) -> Vec<u8> {
        let mut w = BodyWriter::default();
        w.begin(Op::Insert, 3, 1_764_000_000_000_000, 7712, 26_304_872);
        w.row();
        for cell in cells {
            match cell {
                Cell::Absent => w.cell_absent(),
                Cell::Null => w.cell_null(),
                Cell::Bool(b) => w.cell_bool(*b),
                Cell::Int(i) => w.cell_number(&i.to_string()),
                Cell::Float(f) => w.cell_number(&format!("{f:?}")),
                Cell::Text(t) => w.cell_text(t),
            }
        }
        w.end_cells();
        w.end();
        w.lines.clone()
    }

    /// The wire's bytes are a contract with agents in the field: this line may not change.
    #[test]
    fn golden_line() {
        let cells = [Cell::Int(17), Cell::Text("ENG-\"1\"\u{1}".into()), Cell::Float(554.36), Cell::Null, Cell::Absent];
        assert_eq!(
            String::from_utf8(written(&cells)).unwrap(),
            "{\"o\":\"i\",\"s\":3,\"t\":1764000000000000,\"x\":7712,\"l\":26304872,\"r\":[17,\"ENG-\\\"1\\\"\\u0001\",554.36,null,[]]}\n"
        );
    }

    #[test]
    fn a_body_is_read_as_written() {
        let mut w = BodyWriter::default();
        for i in 0..100 {
            w.begin(Op::Update, 0, i, 1, 2);
            w.row();
            w.cell_number("NaN");
            w.cell_number(&i.to_string());
            w.end_cells();
            w.end();
        }
        w.begin(Op::Insert, 0, 0, 0, 0);
        w.take_back();
        assert_eq!(w.events(), 100);
        let schema = StreamSchema { name: "public.t".into(), columns: vec![], full_old_row: false };
        let header = BodyHeader { v: 1, streams: vec![schema], chunks: vec![] };
        let (body, raw_bytes) = w.finish(&header, 1).unwrap();
        let raw = decompress(&body).unwrap();
        assert_eq!(raw.len(), raw_bytes as usize);
        let (read_header, lines) = read(&raw).unwrap();
        assert_eq!(read_header, header);
        let events: Vec<_> = lines.map(|l| read_event(l).unwrap()).collect();
        assert_eq!(events.len(), 100);
        assert_eq!(events[7].row, [Cell::Text("NaN".into()), Cell::Int(7)]);
    }

    #[test]
    fn a_bomb_is_refused() {
        let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 3).unwrap();
        assert_eq!(decompress(&bomb), Err(BodyError::Ratio));
        assert!(matches!(decompress(b"no zstd"), Err(BodyError::Compression(_))));
    }

    fn any_cell() -> impl Strategy<Value = Cell<'static>> {
        prop_oneof![
            Just(Cell::Absent),
            Just(Cell::Null),
            any::<bool>().prop_map(Cell::Bool),
            any::<i64>().prop_map(Cell::Int),
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Cell::Float),
            ".*".prop_map(|t| Cell::Text(t.into())),
        ]
    }

    proptest! {
        #[test]
        fn any_row_survives(cells in proptest::collection::vec(any_cell(), 0..20)) {
            let line = written(&cells);
            let event = read_event(&line).unwrap();
            prop_assert_eq!(event.row, cells);
        }

        #[test]
        fn no_input_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = decompress(&bytes);
            let _ = read(&bytes).map(|(_, lines)| lines.map(read_event).count());
            let _ = crate::frame::Frame::decode(bytes.into());
        }
    }
}
