//! What writer and reader share: the frame, the sections and the size rule.

use crate::codec::bytes::put_varint;
use crate::codec::{Effort, floats, integers, presence, text, versions};
use crate::column::{Cell, Column, Values};
use crate::error::{ChunkError, Result};
use crate::rows::Rows;
use crate::stats::ChunkStats;

use super::{EncodedChunk, MAX_COLUMNS, MAX_DECODED_BYTES, MAX_ROWS};

pub(super) const MAGIC: [u8; 4] = *b"CLSC";
pub(super) const VERSION: u8 = 1;
pub(super) const HOT: u8 = 0;
pub(super) const SEALED: u8 = 1;
/// Magic, version, kind, header length, header checksum.
pub(super) const FRAME_BYTES: usize = 14;

/// About what decoded columns take: per row a cell and a value.
pub(super) fn decoded_bytes(rows: usize, columns: usize) -> usize {
    rows.saturating_mul(columns).saturating_mul(10)
}

/// What versions of single cells take, per row.
pub(super) const VERSION_BYTES: usize = 16;

fn check_size(rows: &Rows) -> Result<()> {
    let check = |what, actual, limit| {
        if actual > limit { Err(ChunkError::TooLarge { what, actual, limit }) } else { Ok(()) }
    };
    check("the number of rows", rows.len(), MAX_ROWS)?;
    check("the number of columns", rows.columns.len(), MAX_COLUMNS)?;
    let mut size = decoded_bytes(rows.len(), rows.columns.len());
    for column in &rows.columns {
        if column.versions.is_some() {
            size += rows.len() * VERSION_BYTES;
        }
        if let Values::Text(text) = &column.values {
            size += text.dictionary.iter().map(|entry| entry.len() + text::ENTRY_BYTES).sum::<usize>();
        }
    }
    check("the decoded size in bytes", size, MAX_DECODED_BYTES)
}

pub(super) fn encode(rows: &Rows, kind: u8, effort: Effort) -> Result<EncodedChunk> {
    rows.check()?;
    check_size(rows)?;
    let mut body = Vec::with_capacity(64 + rows.len() * (4 + rows.columns.len() * 2));
    let mut scratch = Vec::new();

    put_rows(&mut body, rows, effort)?;
    let mut header = Vec::with_capacity(16 + rows.columns.len() * 8);
    put_varint(&mut header, rows.len() as u64);
    put_varint(&mut header, rows.columns.len() as u64);
    put_section(&mut header, &body, kind);
    for column in &rows.columns {
        let start = body.len();
        put_column(&mut body, rows, column, effort, &mut scratch)?;
        put_varint(&mut header, u64::from(column.field));
        header.push(column.field_type().code());
        put_section(&mut header, &body[start..], kind);
    }
    if kind == HOT {
        header.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    }

    let mut bytes = Vec::with_capacity(FRAME_BYTES + header.len() + body.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.push(VERSION);
    bytes.push(kind);
    bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&header_crc(&bytes, &header).to_le_bytes());
    bytes.extend_from_slice(&header);
    bytes.extend_from_slice(&body);
    Ok(EncodedChunk { bytes, stats: ChunkStats::of(rows) })
}

/// Covers the frame before the checksum and the header.
pub(super) fn header_crc(frame: &[u8], header: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(frame);
    hasher.update(header);
    hasher.finalize()
}

/// A sealed chunk is read a few columns at a time, so each has its checksum; a hot chunk has one over its body.
fn put_section(header: &mut Vec<u8>, section: &[u8], kind: u8) {
    put_varint(header, section.len() as u64);
    if kind == SEALED {
        header.extend_from_slice(&crc32fast::hash(section).to_le_bytes());
    }
}

fn put_rows(out: &mut Vec<u8>, rows: &Rows, effort: Effort) -> Result<()> {
    fn wide<T: Copy>(values: &[T], to: impl Fn(T) -> i64) -> Vec<i64> {
        values.iter().map(|value| to(*value)).collect()
    }
    integers::encode(out, &wide(&rows.asset, i64::from), effort)?;
    integers::encode(out, &rows.at, effort)?;
    integers::encode(out, &wide(&rows.epoch, i64::from), effort)?;
    integers::encode(out, &wide(&rows.seq, |seq| seq as i64), effort)?;
    integers::encode(out, &wide(&rows.flags, i64::from), effort)?;
    integers::encode(out, &wide(&rows.key_hash, |hash| hash as i64), effort)
}

fn put_column(out: &mut Vec<u8>, rows: &Rows, column: &Column, effort: Effort, scratch: &mut Vec<f64>) -> Result<()> {
    presence::encode(out, &column.cells, effort);
    versions::encode(out, rows, column, effort)?;
    let full = column.cells.iter().all(|cell| *cell == Cell::Value);
    match &column.values {
        Values::Float(values) if full => floats::encode(out, values, effort),
        Values::Float(values) => {
            scratch.clear();
            scratch.extend(present(values, &column.cells));
            floats::encode(out, scratch, effort)
        }
        Values::Int(values) | Values::Time(values) if full => integers::encode(out, values, effort),
        Values::Int(values) | Values::Time(values) => {
            integers::encode(out, &present(values, &column.cells).collect::<Vec<_>>(), effort)
        }
        Values::Bool(values) => {
            let bits: Vec<i64> = present(values, &column.cells).map(i64::from).collect();
            integers::encode(out, &bits, effort)
        }
        Values::Text(values) => text::encode(out, values, &column.cells, effort),
    }
}

fn present<'a, T: Copy>(values: &'a [T], cells: &'a [Cell]) -> impl Iterator<Item = T> + 'a {
    values.iter().zip(cells).filter(|(_, cell)| **cell == Cell::Value).map(|(value, _)| *value)
}
