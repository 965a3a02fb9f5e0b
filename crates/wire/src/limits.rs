//! Limits of the protocol. Both ends check them; ingest names the one that was passed.

/// The protocol's version, the first byte of every frame.
pub const PROTOCOL: u8 = 1;
/// A frame, header and body.
pub const MAX_FRAME_BYTES: usize = 4 << 20;
/// A frame's JSON header.
pub const MAX_HEADER_BYTES: usize = 256 << 10;
/// A batch body before decompression.
pub const MAX_BATCH_BYTES: usize = 3 << 20;
/// A batch body after decompression.
pub const MAX_BATCH_RAW_BYTES: usize = 32 << 20;
/// Decompressed size over compressed size. Telemetry reaches about 20, constant rows a few hundred.
pub const MAX_BATCH_RATIO: usize = 2_000;
/// Events in a batch.
pub const MAX_BATCH_EVENTS: u32 = 65_536;
/// One event's line; a larger one becomes a stub at its own sequence.
pub const MAX_EVENT_BYTES: usize = 1 << 20;
/// Depth of JSON that refine still takes apart into extras.
pub const MAX_JSON_DEPTH: usize = 32;
/// Columns of a stream (Postgres' own limit is 1,600).
pub const MAX_COLUMNS: usize = 1_600;
/// Bytes in flight that the agent may have unconfirmed, unless `Welcome` says otherwise.
pub const WINDOW_BYTES: u64 = 8 << 20;
