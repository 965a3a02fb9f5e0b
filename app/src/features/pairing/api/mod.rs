//! Server functions of pairing.

mod approve;
mod begin;
mod get;
mod refuse;

pub use approve::{Approve, approve};
pub use begin::{Begin, begin};
pub use get::get;
pub use refuse::{Refuse, refuse};
