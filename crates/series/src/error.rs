//! What can be wrong with rows to encode or with bytes to decode.

/// Why a chunk could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    #[error("the bytes are not a sample chunk; check that the right column was read")]
    NotAChunk,
    #[error("chunk format version {0} is newer than this program knows; update it")]
    UnknownVersion(u8),
    #[error("the chunk is damaged: {0}")]
    Corrupt(&'static str),
    #[error("{what} is {actual}, the limit of one chunk is {limit}; split the rows")]
    TooLarge { what: &'static str, actual: usize, limit: usize },
    #[error("column {field} has {actual} cells, the chunk has {rows} rows; build rows with ChunkBuilder")]
    Ragged { field: u32, actual: usize, rows: usize },
    #[error("field {field} stands twice with the same type; give each field one column")]
    DuplicateField { field: u32 },
    #[error("row {row} is not above the row before it by (asset, time, key); merge the rows before sealing them")]
    Unordered { row: usize },
    #[error("compression failed; this is a defect of the codec, keep the rows and report it")]
    Codec,
}

/// Shorthand of this crate.
pub type Result<T, E = ChunkError> = std::result::Result<T, E>;
