//! Plan and usage: how much of what a workspace may use, and what it has used.

pub mod api;
mod content;
mod model;

pub use content::UsageContent;
