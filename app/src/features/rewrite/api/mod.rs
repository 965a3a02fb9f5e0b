//! Server functions of the rewrite.

mod read;
mod start;

pub use read::read;
pub use start::{Start, start};
