//! The rewrite of history: a card for the page of masks.

pub mod api;
mod card;
mod model;

pub use card::RewriteCard;
