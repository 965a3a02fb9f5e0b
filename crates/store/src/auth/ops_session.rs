//! Sessions of our own people, and what of workspaces stands in schema `auth`: names and counts, nothing that is in them.
//!
//! A session ends half an hour after it was last used, eight hours after it was made, when it is revoked, or when its person is
//! disabled: the view `auth.live_ops_sessions` says so for all who ask.

use clarity_domain::ids::{OpsUserId, WorkspaceId};
use clarity_domain::time::Micros;
use clarity_domain::view::support::OpsWorkspaceRow;

use super::session::TokenHash;
use crate::at::{micros, timestamp};
use crate::scope::OpsScope;
use crate::{AuthTx, Result};

/// A live session's person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveOps {
    pub id: OpsUserId,
    pub name: String,
    pub email: String,
}

pub async fn insert(
    tx: &mut AuthTx,
    hash: &TokenHash,
    user: OpsUserId,
    expires_at: Micros,
    address: &str,
    user_agent: &str,
) -> Result<()> {
    sqlx::query!(
        "insert into auth.ops_sessions (token_hash, ops_user_id, expires_at, address, user_agent)
         values ($1, $2, $3, $4, $5)",
        hash.as_slice(),
        user.0,
        timestamp(expires_at),
        address,
        user_agent
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The person of a live session, which is noted as used.
pub async fn find_live(tx: &mut AuthTx, hash: &TokenHash) -> Result<Option<LiveOps>> {
    let row = sqlx::query!(
        r#"select ops_user_id as "id!", name as "name!", email as "email!"
           from auth.live_ops_sessions
           where token_hash = $1"#,
        hash.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = row else { return Ok(None) };
    sqlx::query!(
        "update auth.ops_sessions
         set last_seen_at = now()
         where token_hash = $1
           and last_seen_at < now() - interval '1 minute'",
        hash.as_slice()
    )
    .execute(tx.conn())
    .await?;
    Ok(Some(LiveOps { id: OpsUserId(row.id), name: row.name, email: row.email }))
}

/// Ends a session at once.
pub async fn revoke(tx: &mut AuthTx, hash: &TokenHash) -> Result<()> {
    sqlx::query!(
        "update auth.ops_sessions set revoked_at = now() where token_hash = $1 and revoked_at is null",
        hash.as_slice()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Every workspace by name, the first five hundred.
///
/// # Crosses workspaces
/// Whoever helps has to find whom to ask: names, and how many members and agents there are.
pub async fn list_workspaces(tx: &mut AuthTx, hash: &TokenHash) -> Result<Vec<OpsWorkspaceRow>> {
    let rows = sqlx::query!(
        r#"select w.slug, w.name, w.region, w.created_at,
                  (select count(*) from auth.memberships m where m.workspace_id = w.id) as "members!",
                  (select count(*) from auth.agent_keys k
                   where k.workspace_id = w.id and k.revoked_at is null) as "agents!"
           from auth.workspaces w
           where exists (select from auth.live_ops_sessions s where s.token_hash = $1)
             and not exists (select from auth.deletions d where d.workspace_id = w.id and d.begun_at is not null)
           order by lower(w.name), w.id
           limit 500"#,
        hash.as_slice()
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| OpsWorkspaceRow {
            slug: r.slug,
            name: r.name,
            region: r.region,
            created_at: micros(r.created_at),
            members: small(r.members),
            agents: small(r.agents),
        })
        .collect())
}

/// The workspace of this slug, for the person of a live session: what lets them ask, and read under a grant. One whose doors
/// are closed is not there, for them as for everybody.
pub async fn resolve(tx: &mut AuthTx, hash: &TokenHash, slug: &str) -> Result<Option<(OpsScope, OpsWorkspaceRow)>> {
    let row = sqlx::query!(
        r#"select s.ops_user_id as "user_id!", w.id, w.slug, w.name, w.region, w.created_at,
                  (select count(*) from auth.memberships m where m.workspace_id = w.id) as "members!",
                  (select count(*) from auth.agent_keys k
                   where k.workspace_id = w.id and k.revoked_at is null) as "agents!"
           from auth.live_ops_sessions s
           join auth.workspaces w on w.slug = $2
           where s.token_hash = $1
             and not exists (select from auth.deletions d where d.workspace_id = w.id and d.begun_at is not null)"#,
        hash.as_slice(),
        slug
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| {
        let scope = OpsScope::new(WorkspaceId(r.id), OpsUserId(r.user_id));
        let row = OpsWorkspaceRow {
            slug: r.slug,
            name: r.name,
            region: r.region,
            created_at: micros(r.created_at),
            members: small(r.members),
            agents: small(r.agents),
        };
        (scope, row)
    }))
}

/// Addresses of the owners, who decide on a request.
pub async fn list_owner_addresses(tx: &mut AuthTx, scope: &OpsScope) -> Result<Vec<String>> {
    let rows = sqlx::query_scalar!(
        "select u.email
         from auth.memberships m
         join auth.users u on u.id = m.user_id
         where m.workspace_id = $1
           and m.role = 'owner'
         order by u.email",
        scope.workspace_id().0
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows)
}

fn small(count: i64) -> u32 {
    u32::try_from(count.max(0)).unwrap_or(u32::MAX)
}
