//! Server functions of the Overview.

mod read;

pub use read::read;
