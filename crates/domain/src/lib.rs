//! The pure vocabulary and rules of Clarity Stream: ids, units, roles, mappings, the truth word.
//!
//! No I/O, no clock, no async; builds for WASM. Whatever depends on "now" takes it as an argument, so that every rule
//! here can be tested with a table of cases.

pub mod audit;
pub mod device;
pub mod domains;
pub mod error;
pub mod fingerprint;
pub mod ids;
pub mod mapping;
pub mod masking;
pub mod names;
pub mod plan;
pub mod retention;
pub mod role;
pub mod scope;
pub mod state;
pub mod support;
pub mod time;
pub mod truth;
pub mod view;
