//! Access of the platform's own support to a workspace: requests, decisions, what was read, and the banner while it lasts.

pub mod api;
mod banner;
mod content;
mod model;
mod rows;

pub use banner::SupportBanner;
pub use content::{Forms, SupportContent};
pub use model::{state_tone, state_words};
