//! The testkit on real Postgres clusters.

mod cluster;
mod customer;
mod database;
mod ledger;
mod plant;
