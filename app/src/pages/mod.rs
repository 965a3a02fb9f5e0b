//! One thin file per route: parameters, title, features.

mod apart;
mod ask_reset;
mod audit;
mod confirm;
mod confirm_it;
mod connect;
mod dead_letters;
mod delete;
mod deleted;
mod first_event;
mod gallery;
mod home;
mod invite;
mod members;
mod new_workspace;
mod not_found;
mod outbox;
mod overview;
mod reset;
mod retention;
mod second_factor;
mod sessions;
mod sign_in;
mod sign_in_code;
mod sign_up;
mod source;
mod sources;
mod tokens;
mod usage;
mod welcome;

pub use apart::{Apart, ready};
pub use not_found::NotFoundPage;
pub use overview::OverviewPage;
