//! What a workspace is called, its address, where it is, and its sites.

mod address;
pub mod api;
mod content;
mod place;
mod sites;

pub use content::{Forms, SettingsContent};
