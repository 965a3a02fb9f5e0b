//! In whose workspace, and on whose behalf, a transaction runs.

use clarity_domain::ids::{AgentId, OpsUserId, ServiceAccountId, SiteId, UserId, WorkspaceId};
use clarity_domain::role::Role;
use std::sync::Arc;

/// A right to work in one workspace. Only this crate makes one, from a session, an API token, an agent's key or claimed
/// work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceScope {
    workspace_id: WorkspaceId,
    principal: Principal,
    sites: Sites,
}

/// Which sites of the workspace are seen, and with them which machines. Part of every key under which something read for a
/// member is shared with another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Sites {
    /// All, and the machines without a site.
    Every,
    /// These, in order; none of them may be there any more.
    Only(Arc<[SiteId]>),
}

impl Sites {
    pub(crate) fn of(limit: Option<Vec<SiteId>>) -> Self {
        match limit {
            None => Self::Every,
            Some(mut sites) => {
                sites.sort_unstable();
                sites.dedup();
                Self::Only(sites.into())
            }
        }
    }

    pub const fn is_every(&self) -> bool {
        matches!(self, Self::Every)
    }

    /// As `app_every_site()` and `app_sites()` read it: a star, or ids between commas, and nothing else.
    pub(crate) fn setting(&self) -> String {
        match self {
            Self::Every => "*".to_owned(),
            Self::Only(sites) => sites.iter().map(SiteId::to_string).collect::<Vec<_>>().join(","),
        }
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    Member {
        user_id: UserId,
        role: Role,
    },
    /// A named user of the API that is no person.
    Service {
        account: ServiceAccountId,
        role: Role,
    },
    Agent(AgentId),
    /// A worker that claimed a source, lease or job.
    Worker,
}

impl WorkspaceScope {
    /// Of every site, as agents, workers and programs are.
    pub(crate) const fn new(workspace_id: WorkspaceId, principal: Principal) -> Self {
        Self { workspace_id, principal, sites: Sites::Every }
    }

    /// Of these sites alone.
    pub(crate) fn limited(self, sites: Sites) -> Self {
        Self { sites, ..self }
    }

    /// For cache keys, spans and messages to the live hub; never an argument of this crate.
    pub const fn workspace_id(&self) -> WorkspaceId {
        self.workspace_id
    }

    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    pub const fn sites(&self) -> &Sites {
        &self.sites
    }

    /// The member's or the service account's role; none for agents and workers.
    pub const fn role(&self) -> Option<Role> {
        match self.principal {
            Principal::Member { role, .. } | Principal::Service { role, .. } => Some(role),
            Principal::Agent(_) | Principal::Worker => None,
        }
    }

    pub(crate) fn rank(&self) -> i32 {
        self.role().map_or(0, Role::rank)
    }
}

/// One of our own people, about one workspace. It opens nothing of the workspace: that a live grant does, and the database asks
/// for one with each statement. Only this crate makes one, from a live session of theirs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpsScope {
    workspace_id: WorkspaceId,
    user_id: OpsUserId,
}

impl OpsScope {
    pub(crate) const fn new(workspace_id: WorkspaceId, user_id: OpsUserId) -> Self {
        Self { workspace_id, user_id }
    }

    pub(crate) const fn workspace_id(&self) -> WorkspaceId {
        self.workspace_id
    }

    pub(crate) const fn user_id(&self) -> OpsUserId {
        self.user_id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_limit_reads_the_same_in_whatever_order_it_was_said() {
        let id = |n| SiteId(Uuid::from_u128(n));
        let sites = Sites::of(Some(vec![id(2), id(1), id(2)]));
        assert_eq!(sites, Sites::of(Some(vec![id(1), id(2)])));
        assert_eq!(sites.setting(), "00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000002");
        assert_eq!((Sites::of(None).setting().as_str(), Sites::of(Some(Vec::new())).setting().as_str()), ("*", ""));
        assert_ne!(Sites::of(Some(Vec::new())), Sites::Every);
    }
}
