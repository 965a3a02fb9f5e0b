//! A person's second factor: adding it, its recovery codes, removing it; and showing again that it is them.

pub mod api;
mod confirm_it;
mod content;
mod enrol;

pub use confirm_it::ConfirmItForm;
pub use content::{Forms, SecondFactorContent};
