//! What is kept beside a chunk's bytes, so that readers skip chunks without opening them.

use crate::codec::bytes::{Reader, put_signed, put_varint};
use crate::column::{Cell, Column, FieldId, FieldType, Values};
use crate::error::{ChunkError, Result};
use crate::rows::Rows;

/// Bounds and counts of a chunk.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ChunkStats {
    pub rows: u32,
    /// Cells that hold a value, over all columns.
    pub samples: u64,
    /// The earliest time, microseconds; 0 without rows.
    pub from: i64,
    /// The latest time, inclusive.
    pub to: i64,
    pub asset_min: u32,
    pub asset_max: u32,
    /// One per column of the chunk, in its order.
    pub columns: Vec<ColumnStats>,
}

/// Counts and bounds of one column.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnStats {
    pub field: FieldId,
    pub field_type: FieldType,
    /// Cells with a value.
    pub values: u32,
    pub nulls: u32,
    /// `None` without a comparable value, and for booleans and text.
    pub bounds: Option<Bounds>,
}

/// Inclusive. Of floats without NaN, which compares with nothing; infinities count, so that a filter finds them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bounds {
    Float { min: f64, max: f64 },
    Int { min: i64, max: i64 },
}

impl ChunkStats {
    pub fn of(rows: &Rows) -> Self {
        let columns: Vec<ColumnStats> = rows.columns.iter().map(ColumnStats::of).collect();
        Self {
            rows: rows.len() as u32,
            samples: columns.iter().map(|column| u64::from(column.values)).sum(),
            from: rows.at.iter().copied().min().unwrap_or_default(),
            to: rows.at.iter().copied().max().unwrap_or_default(),
            asset_min: rows.asset.iter().copied().min().unwrap_or_default(),
            asset_max: rows.asset.iter().copied().max().unwrap_or_default(),
            columns,
        }
    }

    pub fn column(&self, field: FieldId) -> Option<&ColumnStats> {
        self.columns.iter().find(|column| column.field == field)
    }
}

impl ColumnStats {
    fn of(column: &Column) -> Self {
        let (mut values, mut nulls) = (0, 0);
        for cell in &column.cells {
            match cell {
                Cell::Absent => {}
                Cell::Null => nulls += 1,
                Cell::Value => values += 1,
            }
        }
        let bounds = match &column.values {
            Values::Float(floats) => {
                let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
                let mut some = false;
                for (value, cell) in floats.iter().zip(&column.cells) {
                    if *cell == Cell::Value && !value.is_nan() {
                        some = true;
                        min = min.min(*value);
                        max = max.max(*value);
                    }
                }
                some.then_some(Bounds::Float { min, max })
            }
            Values::Int(integers) | Values::Time(integers) => {
                let present =
                    || integers.iter().zip(&column.cells).filter(|(_, c)| **c == Cell::Value).map(|(v, _)| *v);
                present().min().zip(present().max()).map(|(min, max)| Bounds::Int { min, max })
            }
            Values::Bool(_) | Values::Text(_) => None,
        };
        Self { field: column.field, field_type: column.field_type(), values, nulls, bounds }
    }
}

const VERSION: u8 = 1;
const SAME_COUNT: u8 = 0x20;
const HAS_BOUNDS: u8 = 0x40;

/// Compact bytes: about six per column and the bounds.
pub fn encode_stats(stats: &ChunkStats) -> Vec<u8> {
    let mut out = Vec::with_capacity(24 + stats.columns.len() * 22);
    out.push(VERSION);
    put_varint(&mut out, u64::from(stats.rows));
    put_signed(&mut out, stats.from);
    put_signed(&mut out, stats.to.wrapping_sub(stats.from));
    put_varint(&mut out, u64::from(stats.asset_min));
    put_varint(&mut out, u64::from(stats.asset_max));
    put_varint(&mut out, stats.columns.len() as u64);
    for column in &stats.columns {
        put_varint(&mut out, u64::from(column.field));
        let full = column.values == stats.rows && column.nulls == 0;
        let mut head = column.field_type.code();
        head |= if full { SAME_COUNT } else { 0 };
        head |= if column.bounds.is_some() { HAS_BOUNDS } else { 0 };
        out.push(head);
        if !full {
            put_varint(&mut out, u64::from(column.values));
            put_varint(&mut out, u64::from(column.nulls));
        }
        match column.bounds {
            None => {}
            Some(Bounds::Float { min, max }) => {
                out.extend_from_slice(&min.to_le_bytes());
                out.extend_from_slice(&max.to_le_bytes());
            }
            Some(Bounds::Int { min, max }) => {
                put_signed(&mut out, min);
                put_signed(&mut out, max.wrapping_sub(min));
            }
        }
    }
    out
}

/// Reads what [`encode_stats`] wrote; never panics on other bytes.
pub fn decode_stats(bytes: &[u8]) -> Result<ChunkStats> {
    let mut reader = Reader::new(bytes);
    let version = reader.byte()?;
    if version != VERSION {
        return Err(ChunkError::UnknownVersion(version));
    }
    let rows = reader.count(u32::MAX as usize)? as u32;
    let from = reader.signed()?;
    let to = from.wrapping_add(reader.signed()?);
    let asset_min = reader.count(u32::MAX as usize)? as u32;
    let asset_max = reader.count(u32::MAX as usize)? as u32;
    // Each column takes two bytes at least.
    let count = reader.count(reader.rest().len() / 2)?;
    let mut columns = Vec::with_capacity(count);
    for _ in 0..count {
        let field = reader.count(u32::MAX as usize)? as u32;
        let head = reader.byte()?;
        let field_type = FieldType::from_code(head & 0x0f)?;
        let (values, nulls) = if head & SAME_COUNT != 0 {
            (rows, 0)
        } else {
            (reader.count(u32::MAX as usize)? as u32, reader.count(u32::MAX as usize)? as u32)
        };
        let bounds = match (head & HAS_BOUNDS != 0, field_type) {
            (false, _) => None,
            (true, FieldType::Float) => Some(Bounds::Float { min: reader.f64()?, max: reader.f64()? }),
            (true, FieldType::Int | FieldType::Time) => {
                let min = reader.signed()?;
                Some(Bounds::Int { min, max: min.wrapping_add(reader.signed()?) })
            }
            (true, _) => return Err(ChunkError::Corrupt("bounds of a type that has none")),
        };
        columns.push(ColumnStats { field, field_type, values, nulls, bounds });
    }
    reader.end()?;
    let samples = columns.iter().map(|column| u64::from(column.values)).sum();
    Ok(ChunkStats { rows, samples, from, to, asset_min, asset_max, columns })
}
