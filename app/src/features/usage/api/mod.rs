//! Server functions of the page of plan and usage.

mod read;

pub use read::read;
