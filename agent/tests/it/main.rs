//! The agent's integration tests, one binary: linking is what small machines die of.

mod source;
mod spool;
mod uplink;
