//! Clarity Stream's workers, one module a role. They speak to each other only through bronze and the database.

pub mod audit;
pub mod compact;
pub mod config;
pub mod context;
pub mod dead_letters;
pub mod erase;
pub mod health;
pub mod ingest;
pub mod leases;
pub mod rebuild;
pub mod refine;
pub mod retain;
pub mod rewrite;
pub mod rollup;
pub mod verify;
