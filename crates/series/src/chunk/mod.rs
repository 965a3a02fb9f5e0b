//! Chunks: rows as bytes.
//!
//! ```text
//! "CLSC"  version u8  kind u8  header length u32  crc32 of the header u32
//! header  rows, columns, decoded size; length and crc32 of the row section;
//!         per column: field, type, length (and crc32 when sealed)
//! body    row section: asset, at, epoch, seq, flags, key hash
//!         per column: cells, versions of single cells, values of the cells that have one
//! ```
//!
//! Numbers are little-endian or varints. A reader skips the columns it does not want by their lengths. Every declared
//! count is checked against the limits below before anything is allocated for it, on writing as on reading, so what
//! is written can be read; wrong bytes give an error, never a panic.

mod builder;
mod format;
mod hot;
mod read;
mod sealed;

pub use builder::ChunkBuilder;
pub use hot::encode_hot;
pub use read::{ChunkHeader, ChunkKind, Projection, decode};
pub use sealed::{SEALED_ROWS, SealedChunk, encode_sealed, seal};

use crate::stats::ChunkStats;

/// Rows of one chunk.
pub const MAX_ROWS: usize = 65_536;
/// Columns of one chunk.
pub const MAX_COLUMNS: usize = 4_096;
/// What a chunk's columns take in memory at most once decoded, text included.
pub const MAX_DECODED_BYTES: usize = 128 << 20;

/// A chunk's bytes, with what is kept beside them.
#[derive(Debug, Clone)]
pub struct EncodedChunk {
    pub bytes: Vec<u8>,
    pub stats: ChunkStats,
}
