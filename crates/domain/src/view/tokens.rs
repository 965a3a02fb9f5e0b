//! Programs that read a workspace: service accounts and their API tokens.

use serde::{Deserialize, Serialize};

use super::Micros;
use crate::{
    ids::{ApiTokenId, ServiceAccountId},
    role::Role,
    scope::Scope,
};

/// How long a token may work, in days: none is for ever.
pub const LIVES: [u32; 4] = [30, 90, 180, 365];

/// The page of API tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiAccess {
    pub as_of: Micros,
    /// By name.
    pub accounts: Vec<ServiceAccount>,
    /// A token that was just made, for the browser that asked for it.
    pub new: Option<NewToken>,
    /// The viewer has shown of late that it is them, so that one can be made.
    pub confirmed: bool,
    /// Where the API is: "https://app.example.com/api/v1".
    pub api_url: String,
}

/// A named user of the API that is no person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceAccount {
    pub id: ServiceAccountId,
    pub name: String,
    pub role: Role,
    /// The name of the person who made it.
    pub created_by: String,
    pub created_at: Micros,
    /// The newest first, those that have ended too.
    pub tokens: Vec<ApiToken>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApiToken {
    pub id: ApiTokenId,
    /// What it is for, in its maker's words.
    pub name: String,
    pub scopes: Vec<Scope>,
    pub created_by: String,
    pub created_at: Micros,
    pub expires_at: Micros,
    /// To the minute.
    pub last_used_at: Option<Micros>,
    pub state: TokenState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenState {
    Live,
    Expired,
    Revoked,
}

/// A token's text. It is in this answer and nowhere else.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct NewToken {
    pub id: ApiTokenId,
    pub text: String,
}

impl std::fmt::Debug for NewToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewToken").field("id", &self.id).finish_non_exhaustive()
    }
}
