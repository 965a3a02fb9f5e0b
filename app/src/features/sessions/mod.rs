//! Where a person is signed in, and ending it from afar.

pub mod api;
mod content;

pub use content::SessionsContent;
