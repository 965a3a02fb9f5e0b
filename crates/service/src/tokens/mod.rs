//! API tokens: how a program reads a workspace.
//!
//! A service account is a named user of one workspace that is no person, with a role of its own; its tokens are how it is
//! known, each with scopes and an end. Whoever makes or ends one locks the workspace and looks at their own role anew
//! ([`Services::locked`]). A token's text is in the answer that made it and nowhere else.

mod create;
mod enter;
mod list;
mod revoke;
mod text;

use clarity_domain::error::AppError;
use clarity_domain::role::{Permission, Role};
use clarity_domain::scope::Scope;

use crate::error::forbidden;

pub use create::{NewAccountToken, NewTokenForm};
pub use enter::ApiSeat;
pub use text::is_token;

/// The role that somebody has now, since it may be another than the one their request came with.
fn still(role: Role) -> Result<(), AppError> {
    if role.may(Permission::ManageTokens) { Ok(()) } else { Err(forbidden(Permission::ManageTokens)) }
}

/// As the audit log has them.
fn words(scopes: &[Scope]) -> Vec<&'static str> {
    scopes.iter().map(|scope| scope.as_str()).collect()
}
