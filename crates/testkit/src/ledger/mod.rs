//! The oracle of the fault tests: is every change of a customer's tables in bronze, once, and does folding bronze give
//! those tables value for value?
//!
//! [`write`] changes a table of its own and keeps outside every database what it committed. [`check`] reads bronze as it
//! lies there, and shares nothing with the code under test but the format of a batch body (`clarity_wire::body`).

mod bronze;
mod changes;
mod check;
mod compare;
mod fold;
mod image;
mod settle;
mod table;
mod visibility;
mod write;

pub use bronze::Sequences;
pub use changes::Changes;
pub use check::{Check, Report, check};
pub use compare::{Difference, TableReport};
pub use settle::{Settle, Settled};
pub use write::{Write, Written, init, write};

/// The session's settings under which values read as the agent reads them.
const SESSION: &str = "set datestyle = ISO; set timezone = UTC; set intervalstyle = postgres; set bytea_output = hex;
     set extra_float_digits = 3; set standard_conforming_strings = on; set statement_timeout = 0";
