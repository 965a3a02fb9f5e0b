//! Whom a workspace's provider knows as whom. The key is what the provider promises never to give to somebody else, its subject;
//! an e-mail address is no key, since it moves from person to person.

use clarity_domain::ids::UserId;
use clarity_domain::role::Role;
use clarity_domain::view::session::UserCard;
use clarity_domain::view::sso::SsoLinked;

use crate::at::micros;
use crate::auth::renewal;
use crate::scope::WorkspaceScope;
use crate::{AuthTx, Result};

/// A subject of the provider of one workspace.
#[derive(Clone, Copy, Debug)]
pub struct SubjectKey<'a> {
    pub scope: &'a WorkspaceScope,
    pub issuer: &'a str,
    pub subject: &'a str,
}

/// The account of this subject.
pub async fn find(tx: &mut AuthTx, key: SubjectKey<'_>) -> Result<Option<UserCard>> {
    let row = sqlx::query!(
        "select u.id, u.name, u.email
         from auth.sso_identities i
         join auth.users u on u.id = i.user_id
         where i.workspace_id = $1
           and i.issuer = $2
           and i.subject = $3",
        key.scope.workspace_id().0,
        key.issuer,
        key.subject
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| UserCard { id: UserId(r.id), name: r.name, email: r.email }))
}

/// Keeps that this subject is this account from now on. False when the subject is somebody already: of two at once, one wins.
pub async fn link(tx: &mut AuthTx, key: SubjectKey<'_>, user: UserId) -> Result<bool> {
    let linked = sqlx::query!(
        "insert into auth.sso_identities (workspace_id, issuer, subject, user_id) values ($1, $2, $3, $4)
         on conflict (workspace_id, issuer, subject) do nothing",
        key.scope.workspace_id().0,
        key.issuer,
        key.subject,
        user.0
    )
    .execute(tx.conn())
    .await?;
    Ok(linked.rows_affected() == 1)
}

pub async fn note_use(tx: &mut AuthTx, key: SubjectKey<'_>) -> Result<()> {
    sqlx::query!(
        "update auth.sso_identities
         set last_used_at = now()
         where workspace_id = $1
           and issuer = $2
           and subject = $3",
        key.scope.workspace_id().0,
        key.issuer,
        key.subject
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Forgets whom the provider knew this person as, and ends the sessions it vouched for. False when it knew nobody.
pub async fn unlink(tx: &mut AuthTx, scope: &WorkspaceScope, user: UserId) -> Result<bool> {
    sqlx::query!(
        "update auth.sessions
         set revoked_at = now()
         where user_id = $2
           and sso_workspace_id = $1
           and revoked_at is null",
        scope.workspace_id().0,
        user.0
    )
    .execute(tx.conn())
    .await?;
    let gone = sqlx::query!(
        "delete from auth.sso_identities where workspace_id = $1 and user_id = $2",
        scope.workspace_id().0,
        user.0
    )
    .execute(tx.conn())
    .await?;
    Ok(gone.rows_affected() > 0)
}

/// Members whom the provider knows, the last use first.
pub async fn list(tx: &mut AuthTx, scope: &WorkspaceScope, issuer: &str, limit: i64) -> Result<Vec<SsoLinked>> {
    let rows = sqlx::query!(
        "select u.id, u.name, u.email, i.linked_at, i.last_used_at
         from auth.sso_identities i
         join auth.memberships m on m.workspace_id = i.workspace_id and m.user_id = i.user_id
         join auth.users u on u.id = i.user_id
         where i.workspace_id = $1
           and i.issuer = $2
         order by i.last_used_at desc nulls last, u.id, i.subject
         limit $3",
        scope.workspace_id().0,
        issuer,
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    let linked = rows.into_iter().map(|r| SsoLinked {
        id: UserId(r.id),
        name: r.name,
        email: r.email,
        linked_at: micros(r.linked_at),
        last_used_at: r.last_used_at.map(micros),
    });
    Ok(linked.collect())
}

/// A member of the workspace: with this role, where they are none yet. Whom an open or expired invitation limits to sites is
/// limited to them this way too. False when they were one.
pub async fn join(tx: &mut AuthTx, scope: &WorkspaceScope, user: UserId, role: Role) -> Result<bool> {
    let joined = sqlx::query!(
        "insert into auth.memberships (workspace_id, user_id, role, sites)
         select $1::uuid, $2::uuid, $3::text,
                case when $3::text in ('operator', 'viewer') then (
                  select i.sites
                  from auth.invitations i
                  join auth.users u on u.email = i.email
                  where i.workspace_id = $1
                    and u.id = $2
                    and i.accepted_at is null
                    and i.revoked_at is null
                  order by i.id desc
                  limit 1
                ) end
         on conflict (workspace_id, user_id) do nothing",
        scope.workspace_id().0,
        user.0,
        role.as_str()
    )
    .execute(tx.conn())
    .await?;
    let is_new = joined.rows_affected() == 1;
    if is_new {
        renewal::ask(tx, user).await?;
    }
    Ok(is_new)
}

/// Whether this person has a place in the workspace.
pub async fn is_member(tx: &mut AuthTx, scope: &WorkspaceScope, user: UserId) -> Result<bool> {
    let is_member = sqlx::query_scalar!(
        r#"select exists (
             select from auth.memberships where workspace_id = $1 and user_id = $2
           ) as "is_member!""#,
        scope.workspace_id().0,
        user.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(is_member)
}
