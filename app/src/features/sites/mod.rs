//! At which site of a workspace each machine is.

pub mod api;
mod content;

pub use content::{Forms, SitesContent};
