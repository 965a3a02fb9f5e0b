//! What the app can do, one folder a noun: components, client state in plain Rust, server functions.

pub mod audit;
pub mod dead_letters;
pub mod deletion;
pub mod domains;
pub mod invitation;
pub mod live;
pub mod masking;
pub mod members;
pub mod ops;
pub mod outbox;
pub mod overview;
pub mod pairing;
pub mod passkeys;
pub mod retention;
pub mod rewrite;
pub mod search;
pub mod second_factor;
pub mod session;
pub mod sessions;
pub mod set_up;
pub mod sites;
pub mod sources;
pub mod sso;
pub mod support;
pub mod tokens;
pub mod usage;
