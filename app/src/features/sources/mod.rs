//! Sources: the list, worst first, and the page of one.

pub mod api;
mod detail;
mod list;
pub mod model;
mod problems;
mod streams;

pub use detail::SourceContent;
pub use list::SourcesContent;
