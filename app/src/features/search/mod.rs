//! What the palette finds in a workspace.

mod api;

pub use api::search;
