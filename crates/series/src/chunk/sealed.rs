//! Sealed chunks: one asset, one UTC day, ordered and unique rows, as small as we can make them.

use crate::codec::Effort;
use crate::error::{ChunkError, Result};
use crate::rows::Rows;
use crate::stats::ChunkStats;

use super::EncodedChunk;
use super::format::{SEALED, encode};

/// The most rows that [`seal`] puts in one chunk.
pub const SEALED_ROWS: usize = 2_000;

const DAY_US: i64 = 86_400_000_000;

/// A sealed chunk and where it belongs.
#[derive(Debug, Clone)]
pub struct SealedChunk {
    pub asset: u32,
    /// Whole days since 1970-01-01, UTC (negative before).
    pub day: i32,
    pub bytes: Vec<u8>,
    pub stats: ChunkStats,
}

/// Encodes the rows as one sealed chunk, as they are. [`seal`] is the usual door: it also splits them.
pub fn encode_sealed(rows: &Rows) -> Result<EncodedChunk> {
    encode(rows, SEALED, Effort::Dense)
}

/// Seals merged rows: chunks of one asset and UTC day, at most [`SEALED_ROWS`] rows each, evenly filled.
///
/// The rows must be what [`crate::merge`] gives: ascending and unique by (asset, time, key hash). Columns that a part
/// lacks wholly are left out of it.
pub fn seal(rows: &Rows) -> Result<Vec<SealedChunk>> {
    if let Some(row) = (1..rows.len()).find(|row| rows.key(row - 1) >= rows.key(*row)) {
        return Err(ChunkError::Unordered { row });
    }
    let day = |row: usize| rows.at[row].div_euclid(DAY_US);
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < rows.len() {
        let same = |row: &usize| rows.asset[*row] == rows.asset[start] && day(*row) == day(start);
        let end = (start..rows.len()).take_while(same).last().map_or(start, |last| last + 1);
        let parts = (end - start).div_ceil(SEALED_ROWS);
        for part in 0..parts {
            let bound = |part: usize| start + (end - start) * part / parts;
            let EncodedChunk { bytes, stats } = encode_sealed(&rows.slice(bound(part)..bound(part + 1)))?;
            chunks.push(SealedChunk { asset: rows.asset[start], day: day(start) as i32, bytes, stats });
        }
        start = end;
    }
    Ok(chunks)
}
