//! Who is in a workspace, who was asked in, and what an invitation shows to the person who opens it.

use serde::{Deserialize, Serialize};

use super::{Micros, sites::SiteCard};
use crate::{
    ids::{InvitationId, SiteId, UserId},
    role::Role,
};

/// The page: one's own place for everybody, the rest for those who manage members.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MembersPage {
    pub own: Membership,
    pub all: Option<Members>,
}

/// The viewer's own place in the workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Membership {
    pub as_of: Micros,
    pub you: UserId,
    pub role: Role,
    /// An owner beside whom there is none: they can neither leave nor step down.
    pub last_owner: bool,
    /// Members need a second factor.
    pub second_factor_required: bool,
    /// The viewer has one.
    pub second_factor: bool,
    pub offer_to_you: Option<OfferToYou>,
}

/// Ownership, offered to the viewer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OfferToYou {
    /// The owner's name.
    pub by: String,
    pub offered_at: Micros,
    pub expires_at: Micros,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Members {
    pub as_of: Micros,
    /// The viewer has shown of late that it is them, so that an admin can be invited.
    pub confirmed: bool,
    /// Owners first, then by role and name; the first of them when there are very many.
    pub members: Vec<MemberRow>,
    pub members_total: u32,
    /// Those that nobody has accepted yet, the newest first.
    pub invitations: Vec<InvitationRow>,
    /// All sites of the workspace, for limits.
    pub sites: Vec<SiteCard>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MemberRow {
    pub id: UserId,
    pub name: String,
    pub email: String,
    pub role: Role,
    /// Whose machines they see alone; `None`: every site. Sites that are gone are among them.
    pub sites: Option<Vec<SiteId>>,
    pub joined_at: Micros,
    pub may: MemberActs,
    /// They have an open offer to become an owner.
    pub offered: bool,
}

/// What the viewer may do to a member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberActs {
    /// Roles that the viewer may give them, theirs included; empty when it may not be changed.
    pub roles: Vec<Role>,
    pub remove: bool,
    pub offer: bool,
    /// Say which sites they see.
    pub limit: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InvitationRow {
    pub id: InvitationId,
    pub email: String,
    pub role: Role,
    /// As of a member.
    pub sites: Option<Vec<SiteId>>,
    /// The name of who sent it last.
    pub invited_by: String,
    pub sent_at: Micros,
    pub expires_at: Micros,
    /// Its time is over, or who sent it may not invite any more: it has to be sent again.
    pub expired: bool,
    /// Whether the viewer may send it again: they have to be able to give its role.
    pub may_resend: bool,
}

/// An invitation, as the page of its link shows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InvitationCard {
    pub workspace: String,
    /// The name of who sent it.
    pub inviter: String,
    pub role: Role,
    pub email: String,
    pub expires_at: Micros,
    pub visitor: Invitee,
}

/// Who opened it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Invitee {
    /// The person it is for, signed in.
    You,
    /// Somebody else is signed in.
    SomebodyElse { email: String },
    /// Nobody is signed in, and the address has an account.
    HasAccount,
    /// Nobody is signed in, and the address has no account yet.
    NeedsAccount,
}
