//! Single sign-on: its page for owners, where it begins, and showing that an account is one's own.

pub mod api;
mod begin;
mod connection;
mod content;
mod found;
mod link;
mod linked;
mod model;
mod required;

pub use begin::BeginForm;
pub use content::{Forms, SsoContent};
pub use link::LinkForm;
