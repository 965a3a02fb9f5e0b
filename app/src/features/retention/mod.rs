//! How long a workspace keeps what, what a shorter time would take away, and legal holds.

pub mod api;
mod content;
mod holds;
mod model;
mod preview;
mod rows;

pub use content::{Forms, RetentionContent};
