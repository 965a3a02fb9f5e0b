//! The whole router on a real Postgres.

// Helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

mod api;
mod deletion;
mod doors;
mod framing;
mod hardening;
mod live;
mod pages;
mod renewal;
mod sso;
mod stage;
