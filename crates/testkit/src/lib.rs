//! What tests, benches and demonstrations stand on: private Postgres clusters, a database per test, a customer's database,
//! the plant that writes live machine data into one, and what is said of many measurements.
//!
//! As a library a dev-dependency only. Its binaries are `clarity-plant`, `clarity-ledger` and `clarity-services`.

pub mod cluster;
mod customer;
mod database;
pub mod ledger;
mod log;
pub mod plant;
mod provider;
mod shared;
pub mod stats;
mod wait;

pub use cluster::{Cluster, StopMode};
pub use customer::CustomerDb;
pub use database::{ROLES, TestDb};
pub use log::Log;
pub use provider::{IdentityProvider, ProviderAccount};
pub use wait::{wait_until, wait_until_blocking};
