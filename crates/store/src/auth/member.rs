//! Members of a workspace. Whoever changes one begins with [`lock`]: what was read before may have changed meanwhile.

use super::renewal;
use super::workspace::{role, site_ids};
use crate::at::micros;
use crate::scope::WorkspaceScope;
use crate::{AuthTx, Result, StoreError};
use clarity_domain::ids::{SiteId, UserId};
use clarity_domain::role::Role;
use clarity_domain::time::Micros;
use clarity_domain::view::session::UserCard;
use uuid::Uuid;

#[derive(Clone, Debug)]
pub struct MemberRow {
    pub user: UserCard,
    pub role: Role,
    /// The sites that they are limited to; `None`: every site.
    pub sites: Option<Vec<SiteId>>,
    pub joined_at: Micros,
}

/// Locks the workspace's row: until this transaction ends, nobody else changes its members, invitations and offers.
pub async fn lock(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<()> {
    sqlx::query_scalar!("select id from auth.workspaces where id = $1 for no key update", scope.workspace_id().0)
        .fetch_one(tx.conn())
        .await?;
    Ok(())
}

/// At most `limit`, owners first, then by role and name.
pub async fn list(tx: &mut AuthTx, scope: &WorkspaceScope, limit: i64) -> Result<Vec<MemberRow>> {
    let rows = sqlx::query!(
        "select u.id, u.name, u.email, m.role, m.sites, m.created_at
         from auth.memberships m
         join auth.users u on u.id = m.user_id
         where m.workspace_id = $1
         order by array_position(array['owner', 'admin', 'operator', 'viewer'], m.role), lower(u.name), u.id
         limit $2",
        scope.workspace_id().0,
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    let members = rows.into_iter().map(|r| MemberRow {
        user: UserCard { id: UserId(r.id), name: r.name, email: r.email },
        role: role(&r.role),
        sites: site_ids(r.sites),
        joined_at: micros(r.created_at),
    });
    Ok(members.collect())
}

pub async fn count(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from auth.memberships where workspace_id = $1"#,
        scope.workspace_id().0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(count)
}

pub async fn count_owners(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from auth.memberships where workspace_id = $1 and role = 'owner'"#,
        scope.workspace_id().0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(count)
}

/// `None` for somebody who is in other workspaces only, as for nobody.
pub async fn find(tx: &mut AuthTx, scope: &WorkspaceScope, user: UserId) -> Result<Option<MemberRow>> {
    let row = sqlx::query!(
        "select u.id, u.name, u.email, m.role, m.sites, m.created_at
         from auth.memberships m
         join auth.users u on u.id = m.user_id
         where m.workspace_id = $1
           and m.user_id = $2",
        scope.workspace_id().0,
        user.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| MemberRow {
        user: UserCard { id: UserId(r.id), name: r.name, email: r.email },
        role: role(&r.role),
        sites: site_ids(r.sites),
        joined_at: micros(r.created_at),
    }))
}

/// Whether the person of this address, in lower case, is a member.
pub async fn is_member(tx: &mut AuthTx, scope: &WorkspaceScope, email: &str) -> Result<bool> {
    let is_member = sqlx::query_scalar!(
        r#"select exists (
             select from auth.memberships m
             join auth.users u on u.id = m.user_id
             where m.workspace_id = $1 and u.email = $2
           ) as "is_member!""#,
        scope.workspace_id().0,
        email
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(is_member)
}

/// Gives a member another role, and their sessions new tokens. What an owner offered ends when they are none any more; whoever
/// is made an admin or an owner sees every site, as they all do.
pub async fn set_role(tx: &mut AuthTx, scope: &WorkspaceScope, user: UserId, role: Role) -> Result<()> {
    let changed = sqlx::query!(
        "update auth.memberships
         set role = $3, break_glass = break_glass and $3 = 'owner',
             sites = case when $3 in ('operator', 'viewer') then sites end
         where workspace_id = $1
           and user_id = $2",
        scope.workspace_id().0,
        user.0,
        role.as_str()
    )
    .execute(tx.conn())
    .await?;
    if changed.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    if role != Role::Owner {
        sqlx::query!(
            "delete from auth.ownership_offers where workspace_id = $1 and offered_by = $2",
            scope.workspace_id().0,
            user.0
        )
        .execute(tx.conn())
        .await?;
    }
    renewal::ask(tx, user).await
}

/// Limits an operator or a viewer to these sites, or to none: `None`. Their sessions get new tokens. The caller has locked the
/// workspace.
///
/// # Errors
/// `NotFound` for somebody who is no member, and for one whose role is never limited.
pub async fn set_sites(tx: &mut AuthTx, scope: &WorkspaceScope, user: UserId, sites: Option<&[SiteId]>) -> Result<()> {
    let sites: Option<Vec<Uuid>> = sites.map(|sites| sites.iter().map(|site| site.0).collect());
    let changed = sqlx::query!(
        "update auth.memberships
         set sites = $3
         where workspace_id = $1
           and user_id = $2
           and role in ('operator', 'viewer')",
        scope.workspace_id().0,
        user.0,
        sites.as_deref()
    )
    .execute(tx.conn())
    .await?;
    if changed.rows_affected() == 1 { renewal::ask(tx, user).await } else { Err(StoreError::NotFound) }
}

/// Takes a person out of the workspace, with the offers by and to them. Their account stays, and what they did, and their
/// sessions get new tokens. It is kept that they were taken out.
pub async fn remove(tx: &mut AuthTx, scope: &WorkspaceScope, user: UserId) -> Result<()> {
    // First: whoever changes how this person signs in is waited for before their place is held.
    sqlx::query!(
        "insert into auth.removed_members (workspace_id, user_id) values ($1, $2)
         on conflict (workspace_id, user_id) do nothing",
        scope.workspace_id().0,
        user.0
    )
    .execute(tx.conn())
    .await?;
    let gone = sqlx::query!(
        "delete from auth.memberships where workspace_id = $1 and user_id = $2",
        scope.workspace_id().0,
        user.0
    )
    .execute(tx.conn())
    .await?;
    if gone.rows_affected() == 1 { renewal::ask(tx, user).await } else { Err(StoreError::NotFound) }
}

/// Whether this person was taken out of the workspace, or left it, and nobody has invited them since.
pub async fn was_removed(tx: &mut AuthTx, scope: &WorkspaceScope, user: UserId) -> Result<bool> {
    let was_removed = sqlx::query_scalar!(
        r#"select exists (
             select from auth.removed_members where workspace_id = $1 and user_id = $2
           ) as "was_removed!""#,
        scope.workspace_id().0,
        user.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(was_removed)
}
