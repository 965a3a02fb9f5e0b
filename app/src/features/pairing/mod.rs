//! Connecting an agent: code, claim, the person's yes, the first event.

pub mod api;
mod begin;
mod model;
mod parts;
mod wizard;

pub use begin::BeginPairing;
pub use wizard::{Forms, PairingContent};
