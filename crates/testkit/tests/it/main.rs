//! The testkit on real Postgres clusters.

// Helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

mod cluster;
mod customer;
mod database;
mod ledger;
mod oracle;
mod plant;
