//! API tokens: service accounts, their tokens, and the one that was just made.

mod account;
pub mod api;
mod content;
mod create;
mod model;
mod new;

pub use content::{Forms, TokensContent};
