//! Sources: the list, worst first, with the agents that read them, and the page of one.

mod agents;
pub mod api;
mod detail;
mod list;
pub mod model;
mod problems;
mod streams;

pub use agents::Forms;
pub use detail::SourceContent;
pub use list::SourcesContent;
