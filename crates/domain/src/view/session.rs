//! Who is looking, and in which workspace.

use serde::{Deserialize, Serialize};

use crate::{
    ids::{SessionId, UserId, WorkspaceId},
    role::Role,
    time::Micros,
    view::{support::SupportNow, usage::PlanNotice},
};

/// A signed-in person and the workspaces they have a seat in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub user: UserCard,
    pub workspaces: Vec<WorkspaceCard>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserCard {
    pub id: UserId,
    pub name: String,
    pub email: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkspaceCard {
    pub id: WorkspaceId,
    pub slug: String,
    pub name: String,
    pub role: Role,
}

/// A sign-in of this person that has not ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenSession {
    pub id: SessionId,
    /// In words, from what the browser says of itself: nothing to rely on.
    pub device: String,
    pub address: String,
    pub signed_in_at: Micros,
    pub seen_at: Micros,
    /// At the latest.
    pub ends_at: Micros,
    /// The one that asks.
    pub current: bool,
    /// It came by single sign-on, and is good in that workspace only.
    #[serde(default)]
    pub by_sso: bool,
}

/// This one first, then the newest use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenSessions {
    pub as_of: Micros,
    /// The person has a second factor.
    pub second_factor: bool,
    pub email: OwnEmail,
    pub sessions: Vec<OpenSession>,
}

/// The address that a person signs in with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OwnEmail {
    pub address: String,
    /// Another one, for which a letter is on its way.
    pub waiting: Option<WaitingEmail>,
    /// The session came by single sign-on, and changes nothing of the account.
    pub by_sso: bool,
    /// The person has just shown that it is them, so that another address can be asked for.
    pub confirmed: bool,
}

/// An address that becomes the person's when they use the link in the letter to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaitingEmail {
    pub address: String,
    pub ends_at: Micros,
}

/// What a link about a change of address shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmailChange {
    pub from: String,
    pub to: String,
}

/// What the frame around a workspace page shows. Of its last four the server makes words: they are not sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Frame {
    pub user: UserCard,
    pub workspace: WorkspaceCard,
    /// Every workspace of this person, for the switch.
    pub workspaces: Vec<WorkspaceCard>,
    pub sites: u32,
    pub assets: u32,
    pub sources: u32,
    /// Open ones, for those who may read them; `None` for everybody else.
    pub dead_letters: Option<u64>,
    /// When the workspace goes, if somebody asked for it.
    #[serde(skip)]
    pub deleted_at: Option<Micros>,
    /// Limits of the plan that are near or reached, for owners and admins.
    #[serde(skip)]
    pub notices: Vec<PlanNotice>,
    /// Who of the platform's support may read the workspace at this moment: every member is told.
    #[serde(skip)]
    pub support: Vec<SupportNow>,
    /// Names of the sites that the viewer is limited to, those that are still there; `None`: they see every site.
    #[serde(skip)]
    pub limited_to: Option<Vec<String>>,
}
