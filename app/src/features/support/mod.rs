//! Access of the platform's own support to a workspace: requests, decisions, what was read.

pub mod api;
mod content;
mod model;
mod rows;

pub use content::{Forms, SupportContent};
pub use model::{state_tone, state_words};
