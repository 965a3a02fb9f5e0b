//! Server functions of the outbox.

mod read;

pub use read::read;
