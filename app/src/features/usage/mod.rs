//! Plan and usage: how much of what a workspace may use, and what it has used; the notices over its pages.

pub mod api;
mod content;
mod model;
mod notices;

pub use content::UsageContent;
pub use notices::PlanNotices;
