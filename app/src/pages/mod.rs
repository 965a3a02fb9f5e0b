//! One thin file per route: parameters, title, features.

mod apart;
mod audit;
mod connect;
mod dead_letters;
mod gallery;
mod home;
mod invite;
mod members;
mod not_found;
mod overview;
mod sessions;
mod sign_in;
mod sign_up;
mod source;
mod sources;

pub use apart::{Apart, ready};
pub use not_found::NotFoundPage;
pub use overview::OverviewPage;
