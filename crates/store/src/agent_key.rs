//! From an agent's key to a scope, the generation that tells an agent from its clone, and the key that follows another.

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
    /// The one that is to follow. It opens as well, and alone once it was used.
    next_public_key: Option<[u8; 32]>,
    /// The last generation that the agent is known to have received, and the last that was sent to it.
    pub generation: u64,
    pub offered: u64,
    pub revoked: bool,
}

/// An agent that holds a key of its own.
#[derive(Debug)]
pub struct ProvenAgent {
    pub scope: WorkspaceScope,
    /// The public half of what it showed.
    pub key: [u8; 32],
    /// It is the one that is to follow.
    pub is_next: bool,
}

impl UnprovenAgent {
    /// A scope in the agent's workspace, if `holds` accepts one of its public keys.
    pub fn prove(self, holds: impl Fn(&[u8; 32]) -> bool) -> Option<ProvenAgent> {
        if self.revoked {
            return None;
        }
        let own = holds(&self.public_key).then_some((self.public_key, false));
        let (key, is_next) = own.or_else(|| self.next_public_key.filter(holds).map(|key| (key, true)))?;
        let scope = WorkspaceScope::new(self.workspace_id, Principal::Agent(self.agent_id));
        Some(ProvenAgent { scope, key, is_next })
    }
}

/// Whether a connection may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Current {
        /// A person asked for a new key, and it has not come into use yet.
        new_key_asked: bool,
    },
    /// A person revoked the agent.
    Revoked,
    /// A newer connection of the same agent took over.
    Superseded,
}

impl AuthStore {
    /// The key of a paired agent.
    pub async fn find_agent(&self, agent_id: AgentId) -> Result<Option<UnprovenAgent>, StoreError> {
        let row = sqlx::query!(
            r#"select workspace_id as "workspace_id!", public_key as "public_key!",
                      next_public_key as "next_public_key?", generation as "generation!", offered as "offered!",
                      revoked as "revoked!"
               from auth.resolve_agent($1)"#,
            agent_id.0
        )
        .fetch_optional(&self.pool)
        .await?;
        let key = |bytes: Vec<u8>| -> Result<[u8; 32], StoreError> {
            bytes.try_into().map_err(|_| StoreError::Corrupt("agent_keys.public_key"))
        };
        row.map(|row| {
            Ok(UnprovenAgent {
                agent_id,
                workspace_id: row.workspace_id.into(),
                public_key: key(row.public_key)?,
                next_public_key: row.next_public_key.map(key).transpose()?,
                generation: row.generation as u64,
                offered: row.offered as u64,
                revoked: row.revoked,
            })
        })
        .transpose()
    }

    /// Sends a new generation to an agent that showed `shown`, and notes whether its version can replace its key. None when
    /// another holder of the key has moved on meanwhile, or the key that it proved opens nothing any more. One that is higher
    /// than we know was given before our database was restored from an older copy.
    pub async fn offer_generation(
        &self,
        agent_id: AgentId,
        shown: u64,
        key: &[u8; 32],
        replaces_key: bool,
    ) -> Result<Option<u64>, StoreError> {
        let offered = sqlx::query_scalar!(
            "update auth.agent_keys
             set offered = greatest(generation, offered, $2) + 1, replaces_key = $3
             where agent_id = $1 and revoked_at is null and ($2 = generation or $2 >= offered)
               and $4 in (public_key, next_public_key)
             returning offered",
            agent_id.0,
            shown as i64,
            replaces_key,
            &key[..]
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
            r#"select offered as "offered!", revoked as "revoked!", new_key_asked as "new_key_asked!"
               from auth.resolve_agent($1)"#,
            agent_id.0
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(match row {
            None => Standing::Revoked,
            Some(row) if row.revoked => Standing::Revoked,
            Some(row) if row.offered as u64 != generation => Standing::Superseded,
            Some(row) => Standing::Current { new_key_asked: row.new_key_asked },
        })
    }

    /// Keeps the key that is to follow, in place of one that was said before and not used. False when nobody asked for one, when
    /// the connection that was welcomed with `generation` is no longer the agent's, and when the key is another agent's.
    pub async fn keep_next_key(&self, agent_id: AgentId, generation: u64, key: &[u8; 32]) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "update auth.agent_keys
             set next_public_key = $3
             where agent_id = $1 and offered = $2 and new_key_asked_at is not null and revoked_at is null
               and not exists (
                 select 1 from auth.agent_keys k
                 where k.public_key = $3 or (k.next_public_key = $3 and k.agent_id <> $1)
               )",
            agent_id.0,
            generation as i64,
            key.as_slice()
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// The agent came with its next key: from now on it alone opens, and the one before opens nothing any more. False when that
    /// has happened meanwhile.
    pub async fn follow_key(&self, agent_id: AgentId, key: &[u8; 32]) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "update auth.agent_keys
             set public_key = next_public_key, next_public_key = null, new_key_asked_at = null, key_replaced_at = now()
             where agent_id = $1 and next_public_key = $2 and revoked_at is null",
            agent_id.0,
            key.as_slice()
        )
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
