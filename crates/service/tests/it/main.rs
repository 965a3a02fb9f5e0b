//! Use cases on a real Postgres, as the roles that the server has.

// Helpers of tests fail by panicking, as tests do.
#![allow(clippy::unwrap_used)]

mod accounts;
mod audit;
mod dead_letters;
mod deletion;
mod domains;
mod email_change;
mod fair;
mod logged;
mod mail;
mod mail_server;
mod masked;
mod masking;
mod members;
mod name_server;
mod operator;
mod outgoing;
mod overview;
mod ownership;
mod pairing;
mod passkeys;
mod renewal;
mod retention;
mod rewrite;
mod second_factor;
mod set_up;
mod site_scope;
mod sso;
mod sso_faults;
mod stage;
mod support;
mod tokens;
mod usage;
mod workspace_settings;
