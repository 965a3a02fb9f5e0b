//! Invitations: one open one an address and workspace, found by the hash of its link's token.
//!
//! Each letter has a link of its own, and the newest one's hash is kept: a link that was sent before is dead.

use super::renewal;
use super::workspace::{role, site_ids};
use crate::at::{micros, timestamp};
use crate::planted::whose;
use crate::scope::{Principal, WorkspaceScope};
use crate::{AuthStore, AuthTx, Result, StoreError};
use clarity_domain::ids::{InvitationId, SiteId, UserId, WorkspaceId};
use clarity_domain::role::Role;
use clarity_domain::time::Micros;
use uuid::Uuid;

/// SHA-256 of the token in the link.
pub type LinkHash = [u8; 32];

#[derive(Clone, Debug)]
pub struct NewInvitation<'a> {
    pub id: InvitationId,
    pub email: &'a str,
    pub role: Role,
    /// The sites that the member will be limited to; `None`: every site.
    pub sites: Option<&'a [SiteId]>,
    pub token_hash: &'a LinkHash,
    pub invited_by: UserId,
    pub expires_at: Micros,
}

/// An invitation that nobody has accepted and nobody has revoked.
#[derive(Clone, Debug)]
pub struct InvitationRow {
    pub id: InvitationId,
    pub email: String,
    pub role: Role,
    pub sites: Option<Vec<SiteId>>,
    /// The name of who sent it last, and what they are now; `None`: no member any more.
    pub inviter: String,
    pub inviter_role: Option<Role>,
    pub sent_at: Micros,
    pub expires_at: Micros,
    pub expired: bool,
}

/// The same, as its link finds it, before its time is over.
#[derive(Clone, Debug)]
pub struct LinkedInvitation {
    pub id: InvitationId,
    pub workspace_id: WorkspaceId,
    pub workspace_name: String,
    pub email: String,
    pub role: Role,
    pub sites: Option<Vec<SiteId>>,
    pub inviter: String,
    pub inviter_role: Role,
    pub expires_at: Micros,
    /// Whether the address has an account.
    pub has_account: bool,
}

/// # Errors
/// `Conflict("invitations_open")` when the address has an open one.
pub async fn insert(tx: &mut AuthTx, scope: &WorkspaceScope, new: &NewInvitation<'_>) -> Result<()> {
    let sites: Option<Vec<Uuid>> = new.sites.map(|sites| sites.iter().map(|site| site.0).collect());
    sqlx::query!(
        "insert into auth.invitations (id, workspace_id, email, role, sites, token_hash, invited_by, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        new.id.0,
        scope.workspace_id().0,
        new.email,
        new.role.as_str(),
        sites.as_deref(),
        new.token_hash.as_slice(),
        new.invited_by.0,
        timestamp(new.expires_at)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Those that are not accepted and not revoked, expired ones among them, the newest letter first.
pub async fn list_open(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<Vec<InvitationRow>> {
    let rows = sqlx::query!(
        r#"select i.id, i.email, i.role, i.sites, u.name as inviter, m.role as "inviter_role?", i.sent_at, i.expires_at,
                  i.expires_at <= now() as "expired!"
           from auth.invitations i
           join auth.users u on u.id = i.invited_by
           left join auth.memberships m on m.workspace_id = i.workspace_id and m.user_id = i.invited_by
           where i.workspace_id = $1
             and i.accepted_at is null
             and i.revoked_at is null
           order by i.sent_at desc, i.id
           limit 200"#,
        scope.workspace_id().0
    )
    .fetch_all(tx.conn())
    .await?;
    let open = rows.into_iter().map(|r| InvitationRow {
        id: InvitationId(r.id),
        email: r.email,
        role: role(&r.role),
        sites: site_ids(r.sites),
        inviter: r.inviter,
        inviter_role: r.inviter_role.as_deref().map(role),
        sent_at: micros(r.sent_at),
        expires_at: micros(r.expires_at),
        expired: r.expired,
    });
    Ok(open.collect())
}

/// Those of [`list_open`].
pub async fn count_open(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from auth.invitations
           where workspace_id = $1 and accepted_at is null and revoked_at is null"#,
        scope.workspace_id().0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(count)
}

/// Whether this address has an open one, expired or not.
pub async fn is_open(tx: &mut AuthTx, scope: &WorkspaceScope, email: &str) -> Result<bool> {
    let open = sqlx::query_scalar!(
        r#"select exists (
             select from auth.invitations
             where workspace_id = $1 and email = $2 and accepted_at is null and revoked_at is null
           ) as "open!""#,
        scope.workspace_id().0,
        email
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(open)
}

/// Address and role of an open one of the scope's workspace.
pub async fn find_open(tx: &mut AuthTx, scope: &WorkspaceScope, id: InvitationId) -> Result<Option<(String, Role)>> {
    let workspace = whose(tx, scope.workspace_id().0, "an-invitation-of-any-workspace", id.0).await;
    let row = sqlx::query!(
        "select email, role from auth.invitations
         where workspace_id = $1
           and id = $2
           and accepted_at is null
           and revoked_at is null",
        workspace,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| (r.email, role(&r.role))))
}

/// Another letter with another link, for which `by` answers from now on.
pub async fn renew(
    tx: &mut AuthTx,
    scope: &WorkspaceScope,
    id: InvitationId,
    by: UserId,
    token_hash: &LinkHash,
    expires_at: Micros,
) -> Result<()> {
    let changed = sqlx::query!(
        "update auth.invitations
         set token_hash = $3, expires_at = $4, invited_by = $5, sent_at = now()
         where workspace_id = $1
           and id = $2
           and accepted_at is null
           and revoked_at is null",
        scope.workspace_id().0,
        id.0,
        token_hash.as_slice(),
        timestamp(expires_at),
        by.0
    )
    .execute(tx.conn())
    .await?;
    if changed.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// Ends an open one: its link is dead at once.
pub async fn revoke(tx: &mut AuthTx, scope: &WorkspaceScope, id: InvitationId) -> Result<()> {
    let workspace = whose(tx, scope.workspace_id().0, "an-invitation-of-any-workspace", id.0).await;
    let changed = sqlx::query!(
        "update auth.invitations set revoked_at = now()
         where workspace_id = $1 and id = $2 and accepted_at is null and revoked_at is null",
        workspace,
        id.0
    )
    .execute(tx.conn())
    .await?;
    if changed.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// By its link. `None` when there is none, and when it was used, was revoked, is over, or was sent by somebody who is no
/// member any more.
pub async fn find_by_link(tx: &mut AuthTx, token_hash: &LinkHash) -> Result<Option<LinkedInvitation>> {
    let row = sqlx::query!(
        r#"select i.id, i.workspace_id, w.name as workspace_name, i.email, i.role, i.sites, u.name as inviter,
                  m.role as inviter_role, i.expires_at,
                  exists (select from auth.users k where k.email = i.email) as "has_account!"
           from auth.invitations i
           join auth.workspaces w on w.id = i.workspace_id
           join auth.users u on u.id = i.invited_by
           join auth.memberships m on m.workspace_id = i.workspace_id and m.user_id = i.invited_by
           where i.token_hash = $1
             and i.accepted_at is null
             and i.revoked_at is null
             and i.expires_at > now()"#,
        token_hash.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| LinkedInvitation {
        id: InvitationId(r.id),
        workspace_id: WorkspaceId(r.workspace_id),
        workspace_name: r.workspace_name,
        email: r.email,
        role: role(&r.role),
        sites: site_ids(r.sites),
        inviter: r.inviter,
        inviter_role: role(&r.inviter_role),
        expires_at: micros(r.expires_at),
        has_account: r.has_account,
    }))
}

/// An invitation whose link leads nowhere any more, for the log of its workspace.
#[derive(Clone, Debug)]
pub struct DeadInvitation {
    pub id: InvitationId,
    /// The least a member has: it opens nothing, and lets an entry be written.
    pub scope: WorkspaceScope,
    pub email: String,
    /// One word.
    pub why: &'static str,
}

/// By its link, when [`find_by_link`] finds none. Of a link that was replaced by a newer letter's nothing is kept.
pub async fn find_dead_by_link(tx: &mut AuthTx, token_hash: &LinkHash) -> Result<Option<DeadInvitation>> {
    let row = sqlx::query!(
        r#"select i.id, i.workspace_id, i.email, i.invited_by, i.accepted_at is not null as "used!",
                  i.revoked_at is not null as "revoked!", i.expires_at <= now() as "expired!"
           from auth.invitations i
           where i.token_hash = $1"#,
        token_hash.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| DeadInvitation {
        id: InvitationId(r.id),
        scope: WorkspaceScope::new(
            WorkspaceId(r.workspace_id),
            Principal::Member { user_id: UserId(r.invited_by), role: Role::Viewer },
        ),
        email: r.email,
        why: match (r.used, r.revoked, r.expired) {
            (true, _, _) => "used",
            (_, true, _) => "revoked",
            (_, _, true) => "expired",
            // Whoever sent it may not invite any more.
            _ => "unvouched",
        },
    }))
}

/// Begins a transaction about the invitation's workspace, when it is its turn: whoever accepts waits behind those who change
/// its members, and nobody else behind them.
///
/// # Errors
/// As [`AuthStore::begin_in`].
pub async fn begin(store: &AuthStore, invitation: &LinkedInvitation) -> Result<AuthTx> {
    store.begin_of(invitation.workspace_id).await
}

/// Like [`find_by_link`], and nobody else changes it, or the workspace's members, before this transaction ends.
pub async fn lock_by_link(tx: &mut AuthTx, token_hash: &LinkHash) -> Result<Option<LinkedInvitation>> {
    let workspace = sqlx::query_scalar!(
        "select w.id from auth.workspaces w
         where w.id = (select i.workspace_id from auth.invitations i where i.token_hash = $1)
         for no key update",
        token_hash.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    // Read after the lock: what was so before may have changed while it was waited for.
    match workspace {
        Some(_) => find_by_link(tx, token_hash).await,
        None => Ok(None),
    }
}

/// Uses the invitation up: the person is a member with its role, of its sites, also when they were taken out before, and their
/// sessions get new tokens. The caller holds the lock of [`lock_by_link`].
///
/// # Errors
/// `NotFound` when it is not open; `Conflict("memberships_pkey")` when they are a member already.
pub async fn accept(tx: &mut AuthTx, id: InvitationId, by: UserId) -> Result<()> {
    let joined = sqlx::query!(
        "with used as (
           update auth.invitations
           set accepted_at = now(), accepted_by = $2
           where id = $1
             and accepted_at is null
             and revoked_at is null
             and expires_at > now()
           returning workspace_id, role, sites
         )
         insert into auth.memberships (workspace_id, user_id, role, sites)
         select workspace_id, $2, role, sites from used",
        id.0,
        by.0
    )
    .execute(tx.conn())
    .await?;
    if joined.rows_affected() != 1 {
        return Err(StoreError::NotFound);
    }
    sqlx::query!(
        "delete from auth.removed_members r
         using auth.invitations i
         where i.id = $1
           and r.workspace_id = i.workspace_id
           and r.user_id = $2",
        id.0,
        by.0
    )
    .execute(tx.conn())
    .await?;
    renewal::ask(tx, by).await
}

/// Letters that members of the workspace had sent to others within the last hour.
pub async fn count_letters(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from auth.member_letters
           where workspace_id = $1 and sent_at > now() - interval '1 hour'"#,
        scope.workspace_id().0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(count)
}

/// Counts one more; older than an hour, they are forgotten.
pub async fn note_letter(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<()> {
    sqlx::query!(
        "delete from auth.member_letters where workspace_id = $1 and sent_at <= now() - interval '1 hour'",
        scope.workspace_id().0
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into auth.member_letters (workspace_id, id) values ($1, $2)",
        scope.workspace_id().0,
        Uuid::now_v7()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
