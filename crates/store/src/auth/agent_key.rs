//! The keys of a workspace's agents as its members know of them: whether one can be replaced, is about to be, or was; and taking
//! one away.

use crate::at::micros;
use crate::scope::WorkspaceScope;
use crate::{AuthTx, Result, StoreError};
use clarity_domain::ids::AgentId;
use clarity_domain::time::Micros;

/// Of an agent that was not revoked.
#[derive(Clone, Debug)]
pub struct KeyRow {
    pub agent_id: AgentId,
    /// Its version, as it last connected, knows how.
    pub replaces_key: bool,
    /// A person asked for a new one, and it has not come into use yet.
    pub asked: bool,
    pub replaced_at: Option<Micros>,
}

/// The keys that open.
pub async fn list(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<Vec<KeyRow>> {
    let rows = sqlx::query!(
        r#"select agent_id, replaces_key, (new_key_asked_at is not null) as "asked!", key_replaced_at
         from auth.agent_keys
         where workspace_id = $1
           and revoked_at is null"#,
        scope.workspace_id().0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| KeyRow {
            agent_id: AgentId(r.agent_id),
            replaces_key: r.replaces_key,
            asked: r.asked,
            replaced_at: r.key_replaced_at.map(micros),
        })
        .collect())
}

/// What came of asking for a new key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    Now,
    /// Somebody did already, and the agent has not answered yet.
    Before,
    /// The agent's version does not know how.
    Unable,
    Revoked,
}

/// Asks for a new key. Ingest says so to the agent's connection within seconds, or when it is next there.
///
/// # Errors
/// `NotFound` when the workspace has no such agent.
pub async fn ask_new(tx: &mut AuthTx, scope: &WorkspaceScope, agent: AgentId) -> Result<Asked> {
    let row = sqlx::query!(
        r#"select replaces_key, (new_key_asked_at is not null) as "asked!", (revoked_at is not null) as "revoked!"
         from auth.agent_keys
         where workspace_id = $1
           and agent_id = $2
         for update"#,
        scope.workspace_id().0,
        agent.0
    )
    .fetch_optional(tx.conn())
    .await?
    .ok_or(StoreError::NotFound)?;
    if row.revoked {
        return Ok(Asked::Revoked);
    }
    if !row.replaces_key {
        return Ok(Asked::Unable);
    }
    if row.asked {
        return Ok(Asked::Before);
    }
    sqlx::query!(
        "update auth.agent_keys
         set new_key_asked_at = now()
         where workspace_id = $1
           and agent_id = $2",
        scope.workspace_id().0,
        agent.0
    )
    .execute(tx.conn())
    .await?;
    Ok(Asked::Now)
}

/// Takes an agent's key from the workspace: its connection is cut within seconds and it cannot come back.
pub async fn revoke(tx: &mut AuthTx, scope: &WorkspaceScope, agent: AgentId) -> Result<()> {
    let changed = sqlx::query!(
        "update auth.agent_keys
         set revoked_at = coalesce(revoked_at, now())
         where workspace_id = $1
           and agent_id = $2",
        scope.workspace_id().0,
        agent.0
    )
    .execute(tx.conn())
    .await?;
    if changed.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}
