//! Values over time.

pub mod query;
