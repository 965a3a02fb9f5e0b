//! The agent's integration tests, one binary: linking is what small machines die of.

#![allow(clippy::unwrap_used)]

mod process;
mod source;
mod spool;
mod uplink;
