//! Server functions of the search.

mod search;

pub use search::search;
