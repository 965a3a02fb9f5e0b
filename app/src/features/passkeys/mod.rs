//! Passkeys: adding and removing them, and showing one to sign in or to confirm that it is you.
//!
//! They need script, since only a script may ask a device for one. Without it the ways by password and code stay.

pub mod api;
mod ask;
mod card;
#[cfg(feature = "hydrate")]
mod js;
mod show;

pub use card::PasskeysCard;
pub use show::{Purpose, ShowPasskey};
