//! From an agent's key to a scope, and the generation that tells an agent from its clone.

use crate::error::StoreError;
use crate::pool::AuthStore;
use crate::scope::{Principal, WorkspaceScope};
use clarity_domain::ids::{AgentId, WorkspaceId};

/// A paired agent that has not yet shown that it holds the key.
#[derive(Debug)]
pub struct UnprovenAgent {
    agent_id: AgentId,
    workspace_id: WorkspaceId,
    public_key: [u8; 32],
    /// The last generation that the agent is known to have received, and the last that was sent to it.
    pub generation: u64,
    pub offered: u64,
    pub revoked: bool,
}

impl UnprovenAgent {
    /// A scope in the agent's workspace, if `holds` accepts its public key.
    pub fn prove(self, holds: impl FnOnce(&[u8; 32]) -> bool) -> Option<WorkspaceScope> {
        (!self.revoked && holds(&self.public_key))
            .then(|| WorkspaceScope::new(self.workspace_id, Principal::Agent(self.agent_id)))
    }
}

/// Whether a connection may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Current,
    /// A person revoked the agent.
    Revoked,
    /// A newer connection of the same agent took over.
    Superseded,
}

impl AuthStore {
    /// The key of a paired agent.
    pub async fn find_agent(&self, agent_id: AgentId) -> Result<Option<UnprovenAgent>, StoreError> {
        let row = sqlx::query!(
            r#"select workspace_id as "workspace_id!", public_key as "public_key!", generation as "generation!",
                      offered as "offered!", revoked as "revoked!"
               from auth.resolve_agent($1)"#,
            agent_id.0
        )
        .fetch_optional(&self.pool)
        .await?;
        row.map(|row| {
            Ok(UnprovenAgent {
                agent_id,
                workspace_id: row.workspace_id.into(),
                public_key: row.public_key.try_into().map_err(|_| StoreError::Corrupt("agent_keys.public_key"))?,
                generation: row.generation as u64,
                offered: row.offered as u64,
                revoked: row.revoked,
            })
        })
        .transpose()
    }

    /// Sends a new generation to an agent that showed `shown`. None when another holder of the key has moved on meanwhile. One
    /// that is higher than we know was given before our database was restored from an older copy.
    pub async fn offer_generation(&self, agent_id: AgentId, shown: u64) -> Result<Option<u64>, StoreError> {
        let offered = sqlx::query_scalar!(
            "update auth.agent_keys
             set offered = greatest(generation, offered, $2) + 1
             where agent_id = $1 and revoked_at is null and ($2 = generation or $2 >= offered)
             returning offered",
            agent_id.0,
            shown as i64
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(offered.map(|g| g as u64))
    }

    /// The agent spoke after the Welcome that carried `generation`, so it has it: an older one is a clone's from now on.
    /// False when a newer connection was welcomed since.
    pub async fn confirm_generation(&self, agent_id: AgentId, generation: u64) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "update auth.agent_keys set generation = $2 where agent_id = $1 and offered = $2 and revoked_at is null",
            agent_id.0,
            generation as i64
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Whether the connection that was welcomed with `generation` may go on. Asked every few seconds.
    pub async fn standing(&self, agent_id: AgentId, generation: u64) -> Result<Standing, StoreError> {
        let row = sqlx::query!(
            r#"select offered as "offered!", revoked as "revoked!" from auth.resolve_agent($1)"#,
            agent_id.0
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(match row {
            None => Standing::Revoked,
            Some(row) if row.revoked => Standing::Revoked,
            Some(row) if row.offered as u64 != generation => Standing::Superseded,
            Some(_) => Standing::Current,
        })
    }
}
