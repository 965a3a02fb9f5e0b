//! The letters of a server that sends none: a demo, a developer's own.

pub mod api;
mod content;
mod model;

pub use content::OutboxContent;
