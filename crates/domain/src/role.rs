//! Roles of members, the one catalogue of what each may do, and what members may do to each other.
//!
//! `docs/security/permissions.md` is this file as a table; a test keeps the two alike.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// A member's role, from least to most. An unknown word reads as viewer: deny by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Viewer,
    Operator,
    Admin,
    Owner,
}

impl Role {
    /// From most to least.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Operator, Self::Viewer];

    /// As the database compares it in policies: viewer 1 … owner 4.
    pub const fn rank(self) -> i32 {
        self as i32 + 1
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }

    pub fn may(self, permission: Permission) -> bool {
        self >= permission.least_role()
    }
}

impl FromStr for Role {
    type Err = std::convert::Infallible;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        Ok(match s {
            "owner" => Self::Owner,
            "admin" => Self::Admin,
            "operator" => Self::Operator,
            _ => Self::Viewer,
        })
    }
}

/// What can be permitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See dashboards, assets, sources, alerts.
    View,
    /// Build dashboards, acknowledge, give stop reasons, export.
    Operate,
    /// Pair, revoke and configure agents and sources; mappings; dead letters.
    ManageSources,
    /// Members up to one's own role.
    ManageMembers,
    /// Service accounts and their API tokens.
    ManageTokens,
    /// Read, export and verify the audit log.
    ReadAudit,
    /// How long what is kept.
    ManageRetention,
    /// What is masked, where and for whom.
    ManageMasking,
    /// Who of our own support asked for access, and what they read.
    ReadSupport,
    /// Let our own support in, and out again.
    DecideSupport,
    /// Plan, deletion, transfer, sign-in policy.
    OwnWorkspace,
}

impl Permission {
    pub const ALL: [Self; 11] = [
        Self::View,
        Self::Operate,
        Self::ManageSources,
        Self::ManageMembers,
        Self::ManageTokens,
        Self::ReadAudit,
        Self::ManageRetention,
        Self::ManageMasking,
        Self::ReadSupport,
        Self::DecideSupport,
        Self::OwnWorkspace,
    ];

    pub const fn least_role(self) -> Role {
        match self {
            Self::View => Role::Viewer,
            Self::Operate => Role::Operator,
            Self::ManageSources
            | Self::ManageMembers
            | Self::ManageTokens
            | Self::ReadAudit
            | Self::ManageRetention
            | Self::ManageMasking
            | Self::ReadSupport => Role::Admin,
            Self::DecideSupport | Self::OwnWorkspace => Role::Owner,
        }
    }

    /// As in "Your role does not allow you to …".
    pub const fn act(self) -> &'static str {
        match self {
            Self::View => "see this",
            Self::Operate => "change this",
            Self::ManageSources => "manage agents and sources",
            Self::ManageMembers => "manage members",
            Self::ManageTokens => "manage API tokens",
            Self::ReadAudit => "read the audit log",
            Self::ManageRetention => "manage retention",
            Self::ManageMasking => "manage masking",
            Self::ReadSupport => "see support access",
            Self::DecideSupport => "decide on support access",
            Self::OwnWorkspace => "do what only the owner may",
        }
    }

    /// All that it opens, for the table of permissions.
    pub const fn covers(self) -> &'static str {
        match self {
            Self::View => "see dashboards, assets, sources, alerts",
            Self::Operate => "build dashboards, acknowledge, give stop reasons, export",
            Self::ManageSources => {
                "pair, revoke and configure agents and sources; mappings; dead letters; set-up; name, place and sites"
            }
            Self::ManageMembers => "invite, change and remove members up to one's own role",
            Self::ManageTokens => "make and remove service accounts, make and revoke their API tokens",
            Self::ReadAudit => "read, export and verify the audit log",
            Self::ManageRetention => "see and change how long what is kept",
            Self::ManageMasking => "see and change what is masked, where and for whom",
            Self::ReadSupport => "see who of our support asked for access, and what they read",
            Self::DecideSupport => "approve, refuse and end access of our support",
            Self::OwnWorkspace => {
                "offer ownership; legal holds; plan, deletion, sign-in policy, the workspace's address"
            }
        }
    }
}

/// Whether `actor` may give this role, to somebody new or to a member. Nobody gives more than they hold, and nobody makes
/// an owner: that is an offer, and its acceptance.
pub fn may_grant(actor: Role, role: Role) -> bool {
    actor.may(Permission::ManageMembers) && role != Role::Owner && role <= actor
}

/// Whether `actor` may make a member who is `from` a `to`. Only an owner touches an owner. That the last owner stays one
/// has to be looked at besides.
pub fn may_change(actor: Role, from: Role, to: Role) -> bool {
    may_remove(actor, from) && may_grant(actor, to)
}

/// Whether `actor` may remove a member who is `role`.
pub fn may_remove(actor: Role, role: Role) -> bool {
    actor.may(Permission::ManageMembers) && role <= actor
}

/// Whether a member of this role can be limited to some of the sites. Whoever administers a workspace administers all of it.
pub fn may_be_limited(role: Role) -> bool {
    role < Role::Admin
}

/// Whether `actor` may give a service account this role: never above an operator, and never above themselves.
pub fn may_lend(actor: Role, role: Role) -> bool {
    actor.may(Permission::ManageTokens) && role <= Role::Operator && role <= actor
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const TABLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/security/permissions.md");

    #[test]
    fn a_higher_role_may_all_that_a_lower_one_may() {
        for permission in Permission::ALL {
            let allowed: Vec<bool> = Role::ALL.iter().rev().map(|role| role.may(permission)).collect();
            assert!(allowed.is_sorted(), "{permission:?}: {allowed:?}");
            assert!(allowed[3], "the owner may everything");
        }
        assert_eq!(Role::Owner.rank(), 4);
        assert_eq!("emperor".parse(), Ok(Role::Viewer));
    }

    #[test]
    fn nobody_gives_more_than_they_hold_and_nobody_makes_an_owner() {
        for actor in Role::ALL {
            for role in Role::ALL {
                let may = may_grant(actor, role);
                assert!(!may || (role <= actor && role != Role::Owner), "{actor:?} gives {role:?}");
                assert!(!may || actor.may(Permission::ManageMembers));
                for from in Role::ALL {
                    let may = may_change(actor, from, role);
                    assert!(!may || (from <= actor && may_grant(actor, role)), "{actor:?} makes {from:?} {role:?}");
                }
            }
        }
        assert!(may_grant(Role::Admin, Role::Admin) && may_grant(Role::Owner, Role::Admin));
        assert!(!may_grant(Role::Operator, Role::Viewer) && !may_grant(Role::Viewer, Role::Viewer));
    }

    #[test]
    fn a_service_account_is_a_viewer_or_an_operator() {
        for actor in Role::ALL {
            let lent: Vec<Role> = Role::ALL.into_iter().filter(|role| may_lend(actor, *role)).collect();
            let all = [Role::Operator, Role::Viewer];
            assert_eq!(lent, if actor >= Role::Admin { &all[..] } else { &[] }, "{actor:?}");
        }
    }

    #[test]
    fn nobody_who_gives_roles_is_limited_so_nobody_gives_a_site_that_they_do_not_see() {
        for role in Role::ALL {
            assert!(!(may_be_limited(role) && role.may(Permission::ManageMembers)), "{role:?}");
            assert!(!(may_be_limited(role) && role.may(Permission::ManageSources)), "{role:?}");
        }
        assert!(may_be_limited(Role::Operator) && may_be_limited(Role::Viewer));
    }

    #[test]
    fn only_an_owner_touches_an_owner() {
        for actor in [Role::Viewer, Role::Operator, Role::Admin] {
            assert!(!may_remove(actor, Role::Owner), "{actor:?}");
            assert!(Role::ALL.iter().all(|to| !may_change(actor, Role::Owner, *to)), "{actor:?}");
        }
        assert!(may_remove(Role::Owner, Role::Owner) && may_change(Role::Owner, Role::Owner, Role::Admin));
        assert!(may_remove(Role::Admin, Role::Admin) && may_change(Role::Admin, Role::Admin, Role::Viewer));
        assert!(!may_remove(Role::Operator, Role::Viewer));
    }

    /// The whole page.
    fn table() -> String {
        let mut page = String::from(
            "# Who may do what\n\n\
             Made from `crates/domain/src/role.rs` by its test: change it there, then run\n\
             `UPDATE_GOLDEN=1 cargo test -p clarity-domain role`.\n\n\
             ## What each role may\n\n\
             | permission | opens | owner | admin | operator | viewer |\n\
             |---|---|---|---|---|---|\n",
        );
        let mark = |may: bool| if may { "yes" } else { "–" };
        for permission in Permission::ALL {
            let [owner, admin, operator, viewer] = Role::ALL.map(|role| mark(role.may(permission)));
            let covers = permission.covers();
            writeln!(page, "| `{permission:?}` | {covers} | {owner} | {admin} | {operator} | {viewer} |").unwrap();
        }
        page.push_str(
            "\n## What members may do to each other\n\n\
             | who | gives the roles | changes and removes members who are |\n\
             |---|---|---|\n",
        );
        for actor in Role::ALL {
            let of = |fits: &dyn Fn(Role) -> bool| {
                let words: Vec<&str> = Role::ALL.into_iter().filter(|role| fits(*role)).map(Role::as_str).collect();
                if words.is_empty() { "–".to_owned() } else { words.join(", ") }
            };
            let (gives, removes) = (of(&|role| may_grant(actor, role)), of(&|role| may_remove(actor, role)));
            writeln!(page, "| {} | {gives} | {removes} |", actor.as_str()).unwrap();
        }
        page.push_str(
            "\nEverybody may leave, and accept an offer made to them. An owner is made by an owner's offer and the member's\n\
             acceptance, and by nothing else. The last owner stays one: they can neither leave nor step down.\n",
        );
        page
    }

    #[test]
    fn the_table_of_permissions_is_this_catalogue() {
        let made = table();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(TABLE, &made).unwrap();
        }
        let kept = std::fs::read_to_string(TABLE).unwrap_or_default();
        assert!(
            kept == made,
            "docs/security/permissions.md is not what role.rs says: run `UPDATE_GOLDEN=1 cargo test -p clarity-domain role`.\n{made}"
        );
    }
}
