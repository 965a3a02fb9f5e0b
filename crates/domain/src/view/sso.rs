//! Single sign-on, as its pages show it.

use serde::{Deserialize, Serialize};

use super::Micros;
use crate::ids::UserId;
use crate::role::Role;

/// The page of a workspace's own provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SsoPage {
    pub as_of: Micros,
    /// The viewer has shown of late that it is them, so that the provider can be set.
    pub confirmed: bool,
    /// What the provider has to be told to send people back to.
    pub redirect_uri: String,
    /// Where a member begins.
    pub start_url: String,
    pub connection: Option<SsoConnection>,
    pub owners: Vec<SsoOwner>,
    /// Members whom the provider knows, the last use first; no more than 500.
    pub linked: Vec<SsoLinked>,
}

/// A member whom the provider knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SsoLinked {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub linked_at: Micros,
    pub last_used_at: Option<Micros>,
}

/// How the provider is set up. Its secret is never shown again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SsoConnection {
    pub issuer: String,
    pub client_id: String,
    pub default_role: Role,
    pub enabled: bool,
    pub required: bool,
    /// When an owner last came back from it as themselves.
    pub tested_at: Option<Micros>,
    pub found: Option<SsoFound>,
    /// What stands in the way of requiring it, in words; none when nothing does.
    pub not_yet: Option<String>,
}

/// What a test found: whom the provider named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SsoFound {
    pub at: Micros,
    pub issuer: String,
    pub subject: String,
    pub email: Option<String>,
    pub email_verified: bool,
    /// The address's domain is verified in this workspace.
    pub domain_verified: bool,
    /// It is the address of the owner who tested.
    pub own: bool,
    /// Why it failed, where it did; then nobody was named.
    #[serde(default)]
    pub failed: Option<String>,
}

/// An owner, and whether they may come in by password though single sign-on is required.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SsoOwner {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub break_glass: bool,
    pub second_factor: bool,
}

/// What an owner sends: an empty secret leaves the one there is. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct SsoEdit {
    pub issuer: String,
    pub client_id: String,
    pub client_secret: String,
    pub default_role: Role,
    pub enabled: bool,
}

impl std::fmt::Debug for SsoEdit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SsoEdit")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Somebody came from the provider, and the address it named has an account: what has to be shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SsoLink {
    pub workspace: String,
    pub email: String,
    /// The account has a second factor.
    pub with_code: bool,
}
