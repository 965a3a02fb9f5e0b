//! Sessions: from the hash of a browser's token to a person, and to their seat in one workspace.
//!
//! A session ends twelve hours after it was last used, seven days after it was made, or when it is revoked: the view
//! `auth.live_sessions` says so for all who ask.

use super::workspace::{SeatRow, SsoRule, role};
use crate::at::{micros, timestamp};
use crate::planted::whose;
use crate::scope::WorkspaceScope;
use crate::{AuthStore, AuthTx, Result, StoreError};
use clarity_domain::device::device;
use clarity_domain::ids::{SessionId, UserId, WorkspaceId};
use clarity_domain::time::Micros;
use clarity_domain::view::session::{OpenSession, UserCard};
use uuid::Uuid;

/// SHA-256 of the token in the cookie. That of a session's first token is the session's key for as long as it lives, also when
/// it has got another: see [`super::renewal`].
pub type TokenHash = [u8; 32];

/// What a session's person has shown in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
    /// When they last showed that it is them, by signing in or again afterwards.
    pub confirmed_at: Option<Micros>,
    /// A code beside the password.
    pub second_factor: bool,
}

/// A live session's person, with every workspace they have a seat in, by name.
#[derive(Clone, Debug)]
pub struct LiveSession {
    /// What every function here but [`find_live`] knows the session by.
    pub key: TokenHash,
    pub user: UserCard,
    pub seats: Vec<SeatRow>,
    pub proof: Proof,
    /// The provider of this workspace vouched for the person: the session is that workspace's only.
    pub by_sso_of: Option<WorkspaceId>,
    /// Not noted as used within the last minute: see [`touch`].
    pub stale: bool,
    /// It is time for a new token: see [`super::renewal::renew`].
    pub renewable: bool,
    /// Nobody has come with this token before: see [`super::renewal::note_use`].
    pub first_use: bool,
}

/// What is kept of a new session beside its hash.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    pub user: UserId,
    pub expires_at: Micros,
    pub address: &'a str,
    pub user_agent: &'a str,
    /// A code was shown beside the password.
    pub second_factor: bool,
    /// It came by single sign-on, not by password.
    pub sso: Option<SsoSession<'a>>,
}

/// What is known of a session that a workspace's provider vouched for.
#[derive(Clone, Copy, Debug)]
pub struct SsoSession<'a> {
    pub scope: &'a WorkspaceScope,
    /// When the person signed in at the provider, as it says. `None`: it does not say, and nothing is confirmed.
    pub confirmed_at: Option<Micros>,
}

/// # Errors
/// `NotFound` for an account that is closed, also when that happened a moment ago.
pub async fn insert(tx: &mut AuthTx, hash: &TokenHash, session: &NewSession<'_>) -> Result<()> {
    let made = sqlx::query!(
        "insert into auth.sessions
             (token_hash, id, user_id, expires_at, address, user_agent, second_factor_at, sso_workspace_id, confirmed_at)
         select $1::bytea, $2::uuid, u.id, $4::timestamptz, $5::text, $6::text, case when $7::bool then now() end, $8::uuid,
                case when $8::uuid is null then now() when $9::timestamptz is not null then least($9, now()) end
         from auth.users u
         where u.id = $3
           and u.disabled_at is null
         for share",
        hash.as_slice(),
        Uuid::now_v7(),
        session.user.0,
        timestamp(session.expires_at),
        session.address,
        session.user_agent,
        session.second_factor,
        session.sso.map(|sso| sso.scope.workspace_id().0),
        session.sso.and_then(|sso| sso.confirmed_at).map(timestamp)
    )
    .execute(tx.conn())
    .await?;
    if made.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// The person of a live session. Every request asks this first: one statement, which is a transaction by itself.
///
/// Found by the token of now, or by the one before it while that is good. One before that, or one past its time, is nobody's.
pub async fn find_live(store: &AuthStore, hash: &TokenHash) -> Result<Option<LiveSession>> {
    let rows = sqlx::query!(
        r#"select s.token_hash as "key!",
                  coalesce(
                    ((s.renew_since is not null and coalesce(s.renewed_hash, s.token_hash) = $1)
                      or (s.previous_hash = $1 and not s.renewed_used))
                    and (s.renewed_at is null or s.renewed_at < now() - interval '30 seconds'),
                    false
                  ) as "renewable!",
                  coalesce(s.renewed_hash = $1 and not s.renewed_used, false) as "first_use!",
                  u.id, u.name, u.email, s.last_seen_at < now() - interval '1 minute' as "stale!",
                  s.confirmed_at as "confirmed_at?", s.sso_workspace_id as "sso_workspace_id?",
                  (s.second_factor_at is not null or s.sso_workspace_id is not null) as "second_factor!",
                  w.id as "workspace_id?", w.slug as "slug?", w.name as "workspace_name?", w.time_zone as "time_zone?",
                  w.second_factor_required as "second_factor_required?", m.role as "role?", m.break_glass as "break_glass?",
                  coalesce(c.required, false) as "sso_required!"
         from auth.live_sessions s
         join auth.users u on u.id = s.user_id
         left join auth.memberships m on m.user_id = u.id
           and (s.sso_workspace_id is null or exists (
             select from auth.sso_connections e
             where e.workspace_id = m.workspace_id and e.workspace_id = s.sso_workspace_id and e.enabled
           ))
         left join auth.workspaces w on w.id = m.workspace_id
         left join auth.sso_connections c on c.workspace_id = w.id
         where (s.token_hash = $1 and s.renewed_hash is null)
            or s.renewed_hash = $1
            or (s.previous_hash = $1 and s.previous_until > now())
         order by lower(w.name), w.id"#,
        hash.as_slice()
    )
    .fetch_all(&store.pool)
    .await?;
    let mut live: Option<LiveSession> = None;
    for r in rows {
        let key: TokenHash = r.key.try_into().map_err(|_| StoreError::Corrupt("sessions.token_hash"))?;
        let live = live.get_or_insert_with(|| LiveSession {
            key,
            user: UserCard { id: UserId(r.id), name: r.name, email: r.email },
            seats: Vec::new(),
            proof: Proof { confirmed_at: r.confirmed_at.map(micros), second_factor: r.second_factor },
            by_sso_of: r.sso_workspace_id.map(WorkspaceId),
            stale: r.stale,
            renewable: r.renewable,
            first_use: r.first_use,
        });
        if let (Some(workspace), Some(slug), Some(name), Some(time_zone), Some(word)) =
            (r.workspace_id, r.slug, r.workspace_name, r.time_zone, r.role)
        {
            let seat = SeatRow::new(r.id, workspace, slug, name, time_zone, role(&word));
            let sso = SsoRule::of(r.sso_required, r.break_glass.unwrap_or_default(), live.by_sso_of.is_some());
            live.seats.push(seat.requiring(r.second_factor_required.unwrap_or_default()).ruled(sso));
        }
    }
    Ok(live)
}

/// Notes that the session is in use, at most once a minute.
pub async fn touch(tx: &mut AuthTx, hash: &TokenHash) -> Result<()> {
    sqlx::query!(
        "update auth.sessions
         set last_seen_at = now()
         where token_hash = $1
           and last_seen_at < now() - interval '1 minute'",
        hash.as_slice()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The seat of a live session's person in the workspace of this slug, and what they have shown; `None` as well when it is
/// somebody else's.
pub async fn resolve(tx: &mut AuthTx, hash: &TokenHash, slug: &str) -> Result<Option<(SeatRow, Proof)>> {
    let row = sqlx::query!(
        r#"select user_id as "user_id!", workspace_id as "workspace_id!", slug as "slug!",
                  workspace_name as "workspace_name!", time_zone as "time_zone!", role as "role!",
                  second_factor_required as "second_factor_required!", second_factor as "second_factor!",
                  confirmed_at as "confirmed_at?", sso_required as "sso_required!", break_glass as "break_glass!",
                  by_sso as "by_sso!"
         from auth.resolve_session($1, $2)"#,
        hash.as_slice(),
        slug
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| {
        let seat = SeatRow::new(r.user_id, r.workspace_id, r.slug, r.workspace_name, r.time_zone, role(&r.role));
        let proof = Proof { confirmed_at: r.confirmed_at.map(micros), second_factor: r.second_factor };
        let sso = SsoRule::of(r.sso_required, r.break_glass, r.by_sso);
        (seat.requiring(r.second_factor_required).ruled(sso), proof)
    }))
}

/// Notes that the session's person has just shown that it is them; with a code beside the password where `second_factor`. What
/// they may do has grown: the session gets a new token.
pub async fn confirm(tx: &mut AuthTx, hash: &TokenHash, second_factor: bool) -> Result<()> {
    sqlx::query!(
        "update auth.sessions
         set confirmed_at = now(),
             second_factor_at = case when $2 then now() else second_factor_at end,
             renew_since = coalesce(renew_since, now())
         where token_hash = $1
           and revoked_at is null",
        hash.as_slice(),
        second_factor
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The person's second factor is gone: none of their sessions has one any more, and each gets a new token.
pub async fn forget_second_factor(tx: &mut AuthTx, user: UserId) -> Result<()> {
    sqlx::query!(
        "update auth.sessions
         set second_factor_at = null, renew_since = coalesce(renew_since, now())
         where user_id = $1
           and second_factor_at is not null",
        user.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A person's sessions that have not ended: the one with this hash first, then the newest use. A session by single sign-on
/// sees those of its workspace only, here and where it ends others: what a provider vouches for reaches no further.
pub async fn list_open(tx: &mut AuthTx, user: UserId, current: &TokenHash) -> Result<Vec<OpenSession>> {
    let rows = sqlx::query!(
        r#"select id as "id!", created_at as "created_at!", last_seen_at as "last_seen_at!", expires_at as "expires_at!",
                  address as "address!", user_agent as "user_agent!", token_hash = $2 as "current!",
                  sso_workspace_id is not null as "by_sso!"
           from auth.live_sessions s
           where user_id = $1
             and exists (
               select from auth.sessions own
               where own.token_hash = $2
                 and (own.sso_workspace_id is null or own.sso_workspace_id = s.sso_workspace_id)
             )
           order by token_hash = $2 desc, last_seen_at desc, id
           limit 200"#,
        user.0,
        current.as_slice()
    )
    .fetch_all(tx.conn())
    .await?;
    let open = rows.into_iter().map(|r| OpenSession {
        id: SessionId(r.id),
        device: device(&r.user_agent),
        address: r.address,
        signed_in_at: micros(r.created_at),
        seen_at: micros(r.last_seen_at),
        ends_at: micros(r.expires_at),
        current: r.current,
        by_sso: r.by_sso,
    });
    Ok(open.collect())
}

/// Ends one session of this person, or nothing when it is somebody else's or over. What it was on, as [`device`] says it.
pub async fn revoke_of(
    tx: &mut AuthTx,
    user: UserId,
    current: &TokenHash,
    session: SessionId,
) -> Result<Option<String>> {
    let user = whose(tx, user.0, "a-session-of-anybody", session.0).await;
    let ended = sqlx::query_scalar!(
        "update auth.sessions s set revoked_at = now()
         where user_id = $1
           and id = $2
           and revoked_at is null
           and exists (
             select from auth.sessions own
             where own.token_hash = $3
               and (own.sso_workspace_id is null or own.sso_workspace_id = s.sso_workspace_id)
           )
         returning user_agent",
        user,
        session.0,
        current.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(ended.as_deref().map(device))
}

/// Ends all sessions of this person but one; how many.
pub async fn revoke_others(tx: &mut AuthTx, user: UserId, kept: &TokenHash) -> Result<u64> {
    let ended = sqlx::query!(
        "update auth.sessions s set revoked_at = now()
         where user_id = $1
           and token_hash <> $2
           and revoked_at is null
           and exists (
             select from auth.sessions own
             where own.token_hash = $2
               and (own.sso_workspace_id is null or own.sso_workspace_id = s.sso_workspace_id)
           )",
        user.0,
        kept.as_slice()
    )
    .execute(tx.conn())
    .await?;
    Ok(ended.rows_affected())
}

/// Ends all sessions of this person; how many.
pub async fn revoke_all(tx: &mut AuthTx, user: UserId) -> Result<u64> {
    let ended =
        sqlx::query!("update auth.sessions set revoked_at = now() where user_id = $1 and revoked_at is null", user.0)
            .execute(tx.conn())
            .await?;
    Ok(ended.rows_affected())
}

/// Ends a session at once.
pub async fn revoke(tx: &mut AuthTx, hash: &TokenHash) -> Result<()> {
    sqlx::query!(
        "update auth.sessions set revoked_at = now() where token_hash = $1 and revoked_at is null",
        hash.as_slice()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
