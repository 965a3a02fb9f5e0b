//! Where a person is signed in, ending it from afar, and another password.

pub mod api;
mod content;
mod password;

pub use content::SessionsContent;
