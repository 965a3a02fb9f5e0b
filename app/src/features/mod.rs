//! What the app can do, one folder a noun: components, client state in plain Rust, server functions.

pub mod audit;
pub mod dead_letters;
pub mod invitation;
pub mod live;
pub mod members;
pub mod outbox;
pub mod overview;
pub mod pairing;
pub mod retention;
pub mod search;
pub mod second_factor;
pub mod session;
pub mod sessions;
pub mod sources;
pub mod sso;
pub mod tokens;
