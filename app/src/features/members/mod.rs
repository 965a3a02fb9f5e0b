//! The members of a workspace: who is in, who was asked in, and one's own place.

pub mod api;
mod content;
mod invitations;
mod model;
mod own;
mod policy;
mod rows;
mod sites;

pub use content::{Forms, MembersContent};
pub use model::{role_name, role_words};
