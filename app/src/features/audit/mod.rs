//! The audit log of a workspace: who did what, when and from where, and whether the log is whole.

pub mod api;
mod content;
mod entry;
mod model;
mod rows;

pub use content::AuditContent;
pub use model::{outcome, outcomes};
