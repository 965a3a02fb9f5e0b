//! What ingest writes: sources and their cursors, segments of bronze, gap markers, heads, what agents say of themselves.
//!
//! The cursor's row alone makes an event durable once: [`segment::append`] moves it and stores the segment in one
//! statement, or does nothing.

pub mod cursor;
pub mod segment;
pub mod source;

pub use cursor::Cursor;
pub use segment::{Appended, Segment};

/// Sources are spread over this many hash partitions, which workers lease.
pub const PARTITIONS: i32 = 64;
