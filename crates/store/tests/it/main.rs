//! The store against a real Postgres, as the roles that the services have.

// Helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

mod audit;
mod catalogue;
mod domain;
mod erasure;
mod isolation;
mod retention;
mod roles;
mod support;
