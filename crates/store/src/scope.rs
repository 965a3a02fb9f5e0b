//! In whose workspace, and on whose behalf, a transaction runs.

use clarity_domain::ids::{AgentId, OpsUserId, ServiceAccountId, UserId, WorkspaceId};
use clarity_domain::role::Role;

/// A right to work in one workspace. Only this crate makes one, from a session, an API token, an agent's key or claimed
/// work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkspaceScope {
    workspace_id: WorkspaceId,
    principal: Principal,
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
    pub(crate) const fn new(workspace_id: WorkspaceId, principal: Principal) -> Self {
        Self { workspace_id, principal }
    }

    /// For cache keys, spans and messages to the live hub; never an argument of this crate.
    pub const fn workspace_id(&self) -> WorkspaceId {
        self.workspace_id
    }

    pub const fn principal(&self) -> &Principal {
        &self.principal
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
