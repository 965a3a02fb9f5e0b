//! Use cases on a real Postgres, as the roles that the server has.

// Helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

mod accounts;
mod audit;
mod dead_letters;
mod mail;
mod members;
mod overview;
mod ownership;
mod pairing;
mod retention;
mod second_factor;
mod sso;
mod sso_faults;
mod stage;
mod tokens;
