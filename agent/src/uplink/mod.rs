//! The one connection outward.

pub mod backoff;
pub mod cut;
