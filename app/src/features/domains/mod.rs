//! Domains of a workspace: added, shown to be its own by a text in DNS, removed. A card for the page of single sign-on: that page
//! holds the [`Forms`], reads [`api::read`] beside its own data, again whenever [`Forms::sent`] changes, and places the card.

pub mod api;
mod card;
mod model;
mod row;

pub use card::{DomainsCard, Forms};
