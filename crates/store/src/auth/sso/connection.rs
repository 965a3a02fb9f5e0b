//! A workspace's identity provider, as it was set up.

use clarity_domain::ids::{ServiceAccountId, UserId, WorkspaceId};
use clarity_domain::role::Role;
use clarity_domain::time::Micros;
use clarity_domain::view::session::UserCard;
use clarity_domain::view::sso::SsoFound;
use uuid::Uuid;

use super::attempt::AttemptRow;
use crate::at::micros;
use crate::auth::workspace::role;
use crate::scope::{Principal, WorkspaceScope};
use crate::{AuthTx, Result, StoreError};

/// With the secret sealed.
#[derive(Clone, Debug)]
pub struct ConnectionRow {
    pub id: Uuid,
    /// Of the workspace, with the rights of one who only reads: before anybody is known, refusals are written down by it.
    pub scope: WorkspaceScope,
    pub slug: String,
    pub name: String,
    pub issuer: String,
    pub client_id: String,
    pub client_secret_box: Vec<u8>,
    pub default_role: Role,
    pub enabled: bool,
    pub required: bool,
    pub found: Option<SsoFound>,
    pub tested_at: Option<Micros>,
}

impl ConnectionRow {
    pub const fn workspace(&self) -> WorkspaceId {
        self.scope.workspace_id()
    }
}

/// What an owner may change.
#[derive(Clone, Debug)]
pub struct ConnectionEdit<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub client_secret_box: &'a [u8],
    pub default_role: Role,
    pub enabled: bool,
    /// The provider is another one: what was tested says nothing of it, and nobody is made to come by it.
    pub anew: bool,
    /// Another issuer vouches from now on: what the one before has vouched for ends.
    pub another_issuer: bool,
}

/// The connection of the workspace.
pub async fn find(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<Option<ConnectionRow>> {
    find_of(tx, scope.workspace_id().0).await
}

/// The connection that an attempt was begun with, if the workspace still has it.
pub async fn find_for(tx: &mut AuthTx, attempt: &AttemptRow) -> Result<Option<ConnectionRow>> {
    let found = find_of(tx, attempt.workspace.0).await?;
    Ok(found.filter(|connection| connection.issuer == attempt.issuer))
}

/// The connection of the workspace of this slug, or of the one that had it before: what a provider's own page of apps leads to
/// goes on working.
pub async fn find_by_slug(tx: &mut AuthTx, slug: &str) -> Result<Option<ConnectionRow>> {
    let id = sqlx::query_scalar!(
        r#"select coalesce(
                  (select w.id from auth.workspaces w where w.slug = $1),
                  (select f.workspace_id from auth.former_slugs f where f.slug = $1)
                ) as "id?""#,
        slug
    )
    .fetch_one(tx.conn())
    .await?;
    match id {
        Some(id) => find_of(tx, id).await,
        None => Ok(None),
    }
}

async fn find_of(tx: &mut AuthTx, workspace: Uuid) -> Result<Option<ConnectionRow>> {
    let row = sqlx::query!(
        "select c.id, c.workspace_id, w.slug, w.name, c.issuer, c.client_id, c.client_secret_box, c.default_role, c.enabled,
                c.required, c.test_found, c.tested_at
         from auth.sso_connections c
         join auth.workspaces w on w.id = c.workspace_id
         where c.workspace_id = $1",
        workspace
    )
    .fetch_optional(tx.conn())
    .await?;
    row.map(|r| {
        let principal = Principal::Service { account: ServiceAccountId(r.id), role: Role::Viewer };
        let found = r.test_found.map(serde_json::from_value).transpose();
        Ok(ConnectionRow {
            id: r.id,
            scope: WorkspaceScope::new(WorkspaceId(r.workspace_id), principal),
            slug: r.slug,
            name: r.name,
            issuer: r.issuer,
            client_id: r.client_id,
            client_secret_box: r.client_secret_box,
            default_role: role(&r.default_role),
            enabled: r.enabled,
            required: r.required,
            found: found.map_err(|_| StoreError::Corrupt("sso_connections.test_found"))?,
            tested_at: r.tested_at.map(micros),
        })
    })
    .transpose()
}

/// Keeps what an owner set up. The caller has locked the workspace.
pub async fn save(tx: &mut AuthTx, scope: &WorkspaceScope, by: UserId, edit: &ConnectionEdit<'_>) -> Result<()> {
    sqlx::query!(
        "insert into auth.sso_connections
             (id, workspace_id, issuer, client_id, client_secret_box, default_role, enabled, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8)
         on conflict (workspace_id) do update
         set issuer = excluded.issuer,
             client_id = excluded.client_id,
             client_secret_box = excluded.client_secret_box,
             default_role = excluded.default_role,
             enabled = excluded.enabled,
             required = sso_connections.required and excluded.enabled and not $9,
             test_found = case when $9 then null else sso_connections.test_found end,
             tested_at = case when $9 then null else sso_connections.tested_at end,
             updated_at = now()",
        Uuid::now_v7(),
        scope.workspace_id().0,
        edit.issuer,
        edit.client_id,
        edit.client_secret_box,
        edit.default_role.as_str(),
        edit.enabled,
        by.0,
        edit.anew
    )
    .execute(tx.conn())
    .await?;
    if edit.anew {
        end_attempts(tx, scope).await?;
    }
    if edit.another_issuer {
        end_sessions(tx, scope).await?;
    }
    Ok(())
}

/// Ways to the provider that are under way end.
async fn end_attempts(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<()> {
    sqlx::query!("delete from auth.sso_attempts where workspace_id = $1", scope.workspace_id().0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Sessions that the provider vouched for end.
async fn end_sessions(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<()> {
    sqlx::query!(
        "update auth.sessions set revoked_at = now() where sso_workspace_id = $1 and revoked_at is null",
        scope.workspace_id().0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What a test found; `passed` when the owner came back as themselves.
pub async fn note_test(tx: &mut AuthTx, scope: &WorkspaceScope, found: &SsoFound, passed: bool) -> Result<()> {
    let found = serde_json::to_value(found).map_err(|_| StoreError::Corrupt("sso test"))?;
    sqlx::query!(
        "update auth.sso_connections
         set test_found = $2, tested_at = case when $3 then now() else tested_at end
         where workspace_id = $1",
        scope.workspace_id().0,
        found,
        passed
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

pub async fn set_required(tx: &mut AuthTx, scope: &WorkspaceScope, required: bool) -> Result<()> {
    sqlx::query!(
        "update auth.sso_connections set required = $2, updated_at = now() where workspace_id = $1",
        scope.workspace_id().0,
        required
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes the provider away: its attempts and its sessions end with it. Whom it knew as whom stays, for the day when the same
/// provider comes back. False when there was none.
pub async fn remove(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<bool> {
    end_attempts(tx, scope).await?;
    end_sessions(tx, scope).await?;
    let gone = sqlx::query!("delete from auth.sso_connections where workspace_id = $1", scope.workspace_id().0)
        .execute(tx.conn())
        .await?;
    Ok(gone.rows_affected() == 1)
}

/// An owner, and whether they may come in past single sign-on.
#[derive(Clone, Debug)]
pub struct OwnerRow {
    pub user: UserCard,
    pub break_glass: bool,
    /// They have a second factor: an app's codes or a passkey.
    pub second_factor: bool,
}

/// The owners, by name.
pub async fn list_owners(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<Vec<OwnerRow>> {
    let rows = sqlx::query!(
        r#"select u.id, u.name, u.email, m.break_glass,
                  exists (select from auth.totp t where t.user_id = u.id and t.confirmed_at is not null)
                  or exists (select from auth.passkeys p where p.user_id = u.id) as "second_factor!"
           from auth.memberships m
           join auth.users u on u.id = m.user_id
           where m.workspace_id = $1
             and m.role = 'owner'
           order by lower(u.name), u.id
           limit 200"#,
        scope.workspace_id().0
    )
    .fetch_all(tx.conn())
    .await?;
    let owners = rows.into_iter().map(|r| OwnerRow {
        user: UserCard { id: UserId(r.id), name: r.name, email: r.email },
        break_glass: r.break_glass,
        second_factor: r.second_factor,
    });
    Ok(owners.collect())
}

/// Marks an owner, or takes the mark away.
pub async fn set_break_glass(tx: &mut AuthTx, scope: &WorkspaceScope, user: UserId, marked: bool) -> Result<()> {
    let changed = sqlx::query!(
        "update auth.memberships set break_glass = $3 where workspace_id = $1 and user_id = $2 and role = 'owner'",
        scope.workspace_id().0,
        user.0,
        marked
    )
    .execute(tx.conn())
    .await?;
    if changed.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// Takes every mark of this person away: they have no second factor any more.
pub async fn forget_break_glass(tx: &mut AuthTx, user: UserId) -> Result<()> {
    sqlx::query!("update auth.memberships set break_glass = false where user_id = $1 and break_glass", user.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}
