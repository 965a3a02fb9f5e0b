//! Schema `auth`: who may enter. Read before a workspace is known, so outside row-level security, by its own role.
//!
//! A [`crate::WorkspaceScope`] is made here and nowhere else, but for claimed work.

pub mod agent_key;
pub mod api_token;
pub mod deletion;
pub mod email_change;
pub mod invitation;
pub mod mail;
pub mod member;
pub mod ops_event;
pub mod ops_session;
pub mod ops_user;
pub mod ownership;
pub mod pairing;
pub mod passkey;
pub mod passkey_ceremony;
pub mod password_reset;
pub mod pending_sign_in;
pub mod renewal;
pub mod second_factor;
pub mod service_account;
pub mod session;
pub mod sign_up;
pub mod sso;
pub mod stranger;
pub mod user;
pub mod workspace;
