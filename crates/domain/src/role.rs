//! Roles of members and the one catalogue of what each may do.

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

/// What can be permitted. The issue on identity prints this as a table; keep one line a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See dashboards, assets, sources, alerts.
    View,
    /// Build dashboards, acknowledge, give stop reasons, export.
    Operate,
    /// Pair, revoke and configure agents and sources; mappings; dead letters.
    ManageSources,
    /// Members up to one's own role, retention, masking, tokens.
    ManageMembers,
    /// Read, export and verify the audit log.
    ReadAudit,
    /// Plan, deletion, transfer, sign-in policy.
    OwnWorkspace,
}

impl Permission {
    pub const fn least_role(self) -> Role {
        match self {
            Self::View => Role::Viewer,
            Self::Operate => Role::Operator,
            Self::ManageSources | Self::ManageMembers | Self::ReadAudit => Role::Admin,
            Self::OwnWorkspace => Role::Owner,
        }
    }

    /// As in "Your role does not allow you to …".
    pub const fn act(self) -> &'static str {
        match self {
            Self::View => "see this",
            Self::Operate => "change this",
            Self::ManageSources => "manage agents and sources",
            Self::ManageMembers => "manage members",
            Self::ReadAudit => "read the audit log",
            Self::OwnWorkspace => "do what only the owner may",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_role_may_all_that_a_lower_one_may() {
        let roles = [Role::Viewer, Role::Operator, Role::Admin, Role::Owner];
        for permission in [
            Permission::View,
            Permission::Operate,
            Permission::ManageSources,
            Permission::ManageMembers,
            Permission::ReadAudit,
            Permission::OwnWorkspace,
        ] {
            let allowed: Vec<bool> = roles.iter().map(|r| r.may(permission)).collect();
            assert!(allowed.is_sorted(), "{permission:?}: {allowed:?}");
            assert!(allowed[3], "the owner may everything");
        }
        assert_eq!(Role::Owner.rank(), 4);
        assert_eq!("emperor".parse(), Ok(Role::Viewer));
    }
}
