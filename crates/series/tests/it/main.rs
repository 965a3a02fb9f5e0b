//! The promises of the crate, on generated rows.

// Helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

mod aggregates;
mod charts;
mod chunks;
mod damage;
mod merging;
mod rows;
