//! The workspace that a token belongs to.

pub mod get;
