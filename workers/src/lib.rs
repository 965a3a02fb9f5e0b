//! Clarity Stream's workers, one module a role. They speak to each other only through bronze and the database.

pub mod compact;
pub mod config;
pub mod context;
pub mod health;
pub mod ingest;
pub mod leases;
pub mod refine;
pub mod rollup;
