//! Another e-mail address: asked for on one's own page, made and stopped by the links of two letters.

pub mod api;
mod card;
mod links;

pub use card::{EmailCard, Forms};
pub use links::{ConfirmEmailForm, StopEmailForm};
