//! The workers against a real Postgres, as the roles they run as.

// Helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

mod agents;
mod audit;
mod compact;
mod erase;
mod ingest;
mod quota;
mod refine;
mod retain;
mod rewrite;
mod rollup;
mod stage;
mod verify;
