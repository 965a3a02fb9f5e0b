//! The sites of a workspace, and at which of them each machine is.

pub mod api;
mod content;

pub use content::{Forms, SitesContent};
