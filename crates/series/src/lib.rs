//! Columnar chunks of samples: build, encode, decode, merge, seal, aggregate and reduce for drawing.
//!
//! Pure: no I/O, no clock, no async. Times are microseconds since 1970, UTC.
//!
//! The way of a sample: the refine worker fills a [`ChunkBuilder`] and writes a **hot** chunk ([`encode_hot`]) per
//! stream and group of segments. Compaction reads hot chunks ([`decode`]), takes an asset's rows
//! ([`Rows::split_by_asset`] or [`Projection::assets`]), [`merge`]s them with what was sealed before and [`seal`]s
//! the result: chunks of one asset and UTC day. Rollups [`reduce`] merged rows to [`Aggregate`]s and merge those;
//! charts take [`Points`] through [`m4`].
//!
//! Invariants: encoding is lossless to the bit; decoding any bytes gives rows or an error, never a panic, and
//! allocates within fixed limits; merging is commutative, associative and idempotent, so a sample that comes late,
//! twice or corrected ends right.

mod aggregate;
mod chunk;
mod codec;
mod column;
mod downsample;
mod error;
mod merge;
mod reduce;
mod rows;
mod sketch;
mod stats;

pub use aggregate::{Aggregate, Point};
pub use chunk::{
    ChunkBuilder, ChunkHeader, ChunkKind, EncodedChunk, MAX_COLUMNS, MAX_DECODED_BYTES, MAX_ROWS, Projection,
    SEALED_ROWS, SealedChunk, decode, encode_hot, encode_sealed, seal,
};
pub use column::{Cell, CellRef, Column, FieldId, FieldType, TextValues, Values, Version};
pub use downsample::{Points, lttb, m4};
pub use error::{ChunkError, Result};
pub use merge::{MergeReport, merge};
pub use reduce::{Bucket, last_value, reduce};
pub use rows::{Rows, flags};
pub use sketch::{ACCURACY, MAX_BINS, Sketch};
pub use stats::{Bounds, ChunkStats, ColumnStats, decode_stats, encode_stats};
