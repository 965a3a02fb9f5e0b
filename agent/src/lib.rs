//! The agent: runs beside a customer's systems, reads them, keeps what was read on its own disk and sends it to the
//! platform over one outward connection.
//!
//! A source (`sources/<kind>`) reads and appends blocks to its [`spool`]; the [`uplink`] sends what is synced and hears
//! what is durable; the [`supervisor`] keeps sources running. The platform decides nothing here that the operator's
//! `agent.toml` does not allow.

pub mod commands;
pub mod config;
pub mod doctor;
pub mod identity;
pub mod masks;
pub mod pairing;
pub mod sources;
pub mod spool;
pub mod status;
pub mod supervisor;
pub mod uplink;
