//! Hot chunks: many assets, one group of segments, rows in order of arrival.
//!
//! The cheap codec: decimals to integers, then blocks of offsets or deltas packed by bits. No general compressor
//! runs over numbers: at 20 rows its fixed cost would be larger than all the rest (see the decision page).

use crate::codec::Effort;
use crate::error::Result;
use crate::rows::Rows;

use super::EncodedChunk;
use super::format::{HOT, encode};

/// Encodes rows in any order, of any assets, repeated keys and all: merging is done by readers and by compaction.
///
/// Fails when the rows are beyond a chunk's limits; then write them as several.
pub fn encode_hot(rows: &Rows) -> Result<EncodedChunk> {
    encode(rows, HOT, Effort::Cheap)
}
