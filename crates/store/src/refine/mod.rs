//! What refine reads and moves: segments, gap markers, its cursor. One transaction takes a group of segments of one
//! source; its second statement locks the cursor and checks the lease.

pub mod cursor;
pub mod segment;

pub use cursor::{Advance, Fence, Place};
pub use segment::{Segment, SegmentInfo};
