//! Installed connectors, as members see them. Their keys stand in `auth.agent_keys`.

use crate::at::micros;
use crate::{Result, StoreError, WorkspaceTx};
use clarity_domain::ids::AgentId;
use clarity_domain::time::Micros;

#[derive(Clone, Debug)]
pub struct NewAgent<'a> {
    pub id: AgentId,
    pub name: &'a str,
    pub hostname: &'a str,
    pub version: &'a str,
    pub fingerprint: &'a str,
    pub address: &'a str,
}

#[derive(Clone, Debug)]
pub struct AgentRow {
    pub id: AgentId,
    pub name: String,
    pub version: String,
    pub connected: bool,
    pub seen_at: Option<Micros>,
    pub sources: i64,
}

#[derive(Clone, Debug)]
pub struct RevokedRow {
    pub id: AgentId,
    pub name: String,
    pub revoked_at: Micros,
    pub sources: i64,
}

/// Adds an agent that a member approved. One that is there already stays as it is.
pub async fn insert(tx: &mut WorkspaceTx, agent: &NewAgent<'_>) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "insert into agents (workspace_id, id, name, hostname, version, fingerprint, address)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (workspace_id, id) do nothing",
        workspace,
        agent.id.0,
        agent.name,
        agent.hostname,
        agent.version,
        agent.fingerprint,
        agent.address
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Agents that were not revoked, by name.
pub async fn list(tx: &mut WorkspaceTx) -> Result<Vec<AgentRow>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select a.id, a.name, a.version, a.connected, a.seen_at, count(s.id) as "sources!"
         from agents a
         left join sources s on s.workspace_id = a.workspace_id and s.agent_id = a.id
         where a.workspace_id = $1
           and a.revoked_at is null
         group by a.workspace_id, a.id
         order by a.name, a.id"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| AgentRow {
            id: AgentId(r.id),
            name: r.name,
            version: r.version,
            connected: r.connected,
            seen_at: r.seen_at.map(micros),
            sources: r.sources,
        })
        .collect())
}

/// The last hundred that were revoked, the newest first.
pub async fn list_revoked(tx: &mut WorkspaceTx) -> Result<Vec<RevokedRow>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select a.id, a.name, a.revoked_at as "revoked_at!",
                  (select count(*) from sources s where s.workspace_id = $1 and s.agent_id = a.id) as "sources!"
         from agents a
         where a.workspace_id = $1
           and a.revoked_at is not null
         order by a.revoked_at desc, a.id
         limit 100"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| RevokedRow { id: AgentId(r.id), name: r.name, revoked_at: micros(r.revoked_at), sources: r.sources })
        .collect())
}

/// Its name and its key's six words. Of one that was revoked as well.
///
/// # Errors
/// `NotFound` when the workspace has no such agent.
pub async fn get_name_and_words(tx: &mut WorkspaceTx, id: AgentId) -> Result<(String, String)> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "select name, fingerprint
         from agents
         where workspace_id = $1
           and id = $2",
        workspace,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|r| (r.name, r.fingerprint)).ok_or(StoreError::NotFound)
}

/// Gives its name, and whether it was not revoked before.
///
/// # Errors
/// `NotFound` when the workspace has no such agent.
pub async fn set_revoked(tx: &mut WorkspaceTx, id: AgentId) -> Result<(String, bool)> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        r#"update agents
         set revoked_at = coalesce(revoked_at, now()), connected = false
         where workspace_id = $1
           and id = $2
         returning name, (revoked_at = now()) as "is_new!""#,
        workspace,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|r| (r.name, r.is_new)).ok_or(StoreError::NotFound)
}
