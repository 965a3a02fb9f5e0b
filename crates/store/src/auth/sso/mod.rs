//! Single sign-on: a workspace's provider, whom it knows as whom, and the ways to it that are under way.
//!
//! Everything is found by workspace: what one workspace's provider says is never looked up for another.

pub mod attempt;
pub mod connection;
pub mod identity;
