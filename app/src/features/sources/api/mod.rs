//! Server functions of the sources.

mod get;
mod list;

pub use get::get;
pub use list::list;
