//! The protocol between agent and ingest: frames, batch bodies, hashes. Versioned; an older agent keeps working.
//!
//! - [`frame`]: what goes over the WebSocket, one binary message a frame.
//! - [`body`]: the newline-delimited JSON inside a batch, as bronze keeps it.
//! - [`hash`]: the chain that makes a batch follow exactly one other.
//! - [`limits`]: how large each may be.

pub mod body;
pub mod frame;
pub mod hash;
pub mod limits;
