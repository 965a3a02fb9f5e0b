//! Every kind of letter with who gets it and what its links open: one row each, and a kind without a row fails.
//!
//! Links are written as `matrix` has their doors; a new kind needs its row here and its way to be sent in `post`.

use super::super::world::Caller;

/// Who gets a letter, and nobody else does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Whoever reads the mailbox that was typed, known to us or not.
    Typed,
    /// The person whose account it is about.
    Person,
    Invited,
    /// The member to whom it is offered.
    Offered,
    /// All owners of the workspace.
    Owners,
    /// All of them but the one it is about.
    OtherOwners,
    /// All who were its owners.
    WereOwners,
}

impl To {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Typed => "the address that was typed",
            Self::Person => "the person whose account it is about",
            Self::Invited => "the invited address",
            Self::Offered => "the member to whom it is offered",
            Self::Owners => "the workspace's owners",
            Self::OtherOwners => "the workspace's other owners",
            Self::WereOwners => "who were the workspace's owners",
        }
    }

    /// Of the owners of our workspace and `whom` it is about.
    pub fn addresses(self, whom: &str, owners: &[&str]) -> Vec<String> {
        let owners = owners.iter().map(|owner| (*owner).to_owned());
        match self {
            Self::Typed | Self::Person | Self::Invited | Self::Offered => vec![whom.to_owned()],
            Self::Owners | Self::WereOwners => owners.collect(),
            Self::OtherOwners => owners.filter(|owner| owner != whom).collect(),
        }
    }
}

/// What a letter's links let its reader do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opens {
    /// Nothing by themselves: they hold no secret, and their doors ask who comes.
    Doors,
    /// Whoever has the letter uses its link once, at this door.
    Once(&'static str),
    /// The same, but while they are signed in under another address.
    OnceUnlessAnother(&'static str),
    /// The person who asked for the letter uses its link once, signed in; to anybody else it is like one that never was.
    OnceForItsPerson(&'static str),
    /// Whoever has the letter reads what this door shows, as often as they like.
    Often(&'static str),
}

impl Opens {
    /// Nothing where the doors themselves say it.
    pub const fn words(self) -> Option<&'static str> {
        match self {
            Self::Doors => None,
            Self::Once(_) => Some("whoever has the letter, once"),
            Self::OnceUnlessAnother(_) => Some("whoever has the letter and is signed in as nobody else, once"),
            Self::OnceForItsPerson(_) => Some("whoever has the letter and is signed in as who asked for it, once"),
            Self::Often(_) => Some("whoever has the letter"),
        }
    }

    /// The door where the link's secret is used.
    pub const fn door(self) -> Option<&'static str> {
        match self {
            Self::Doors => None,
            Self::Once(door) | Self::OnceUnlessAnother(door) | Self::OnceForItsPerson(door) | Self::Often(door) => {
                Some(door)
            }
        }
    }

    /// Whether this caller, who has the letter's secret, is let in by it.
    pub fn lets(self, caller: Caller) -> bool {
        match self {
            Self::Doors => false,
            Self::Once(_) | Self::Often(_) => true,
            Self::OnceUnlessAnother(_) => caller.is_nobody(),
            // In their rounds it is members who ask: see `post::asker`.
            Self::OnceForItsPerson(_) => matches!(caller, Caller::Member(_) | Caller::Limited),
        }
    }
}

#[derive(Debug)]
pub struct Row {
    pub kind: &'static str,
    pub to: To,
    pub links: &'static [&'static str],
    pub opens: Opens,
}

const fn row(kind: &'static str, to: To, links: &'static [&'static str], opens: Opens) -> Row {
    Row { kind, to, links, opens }
}

pub const LETTERS: &[Row] = &[
    row("confirm_sign_up", To::Typed, &["/confirm/{unknown}"], Opens::Once("/api/session/confirm")),
    row("account_exists", To::Typed, &["/sign-in", "/reset"], Opens::Doors),
    row("reset_password", To::Person, &["/reset/{unknown}"], Opens::Once("/api/session/reset")),
    row("password_changed", To::Person, &["/reset"], Opens::Doors),
    row("invitation", To::Invited, &["/invite/{unknown}"], Opens::OnceUnlessAnother("/api/invitation/accept")),
    row("ownership_offer", To::Offered, &["/w/{slug}/members"], Opens::Doors),
    row("second_factor_added", To::Person, &["/reset"], Opens::Doors),
    row("second_factor_removed", To::Person, &["/reset"], Opens::Doors),
    row("second_factor_reset", To::Person, &["/reset"], Opens::Doors),
    row("passkey_added", To::Person, &["/reset"], Opens::Doors),
    row("passkey_removed", To::Person, &["/reset"], Opens::Doors),
    row("confirm_email", To::Typed, &["/email/{unknown}"], Opens::OnceForItsPerson("/api/email_change/change")),
    row("email_wanted", To::Typed, &["/sign-in", "/reset"], Opens::Doors),
    row("email_change_asked", To::Person, &["/email/stop/{unknown}"], Opens::Once("/api/email_change/stop")),
    row("email_changed", To::Person, &["/sign-in"], Opens::Doors),
    row("recovery_code_used", To::Person, &["/second-factor"], Opens::Doors),
    row("deletion_requested", To::Owners, &["/w/{slug}/delete"], Opens::Doors),
    row("deletion_cancelled", To::Owners, &["/w/{slug}/delete"], Opens::Doors),
    row("workspace_deleted", To::WereOwners, &["/deleted/{unknown}"], Opens::Often("/api/deletion/certificate")),
    row("plan_notice", To::Owners, &[], Opens::Doors),
    row("support_request", To::Owners, &["/w/{slug}/support"], Opens::Doors),
    row("break_glass", To::OtherOwners, &["/w/{slug}/audit"], Opens::Doors),
];
