//! New tokens for sessions that go on: see `docs/decisions/0020-session-renewal.md`.
//!
//! A mark says that it is time ([`ask`]), the next answer that may set a cookie brings the new token ([`renew`]), and its first use
//! ends the old one a moment later ([`note_use`]). Here a session goes by its key, which stays; `shown` is what the browser sent.

use super::session::TokenHash;
use crate::at::micros;
use crate::{AuthTx, Result};
use clarity_domain::ids::UserId;
use clarity_domain::time::Micros;

/// What this person may do has changed: each of their sessions is to get a new token. One that is marked already is marked
/// again, and so locked until this is committed: a renewal that takes the mark away comes after it.
pub async fn ask(tx: &mut AuthTx, user: UserId) -> Result<()> {
    sqlx::query!(
        "update auth.sessions
         set renew_since = now()
         where user_id = $1
           and revoked_at is null",
        user.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Gives the session `new` in the place of what was `shown`; when the session ends. Of two requests at once one does, and the
/// other is answered `None`, as is whatever is no reason for a new token, by now.
///
/// The old token opens the session for five minutes, or until half a minute after the new one's first use. Until that use
/// the old one gets another new token: the answer with the first may have been lost. That does not make the five minutes longer.
pub async fn renew(tx: &mut AuthTx, key: &TokenHash, shown: &TokenHash, new: &TokenHash) -> Result<Option<Micros>> {
    let expires_at = sqlx::query_scalar!(
        "update auth.sessions
         set renewed_hash = $3,
             renewed_at = now(),
             renewed_used = false,
             previous_hash = $2,
             previous_until = case when previous_hash = $2 then previous_until else now() + interval '5 minutes' end,
             renew_since = case when previous_hash = $2 then renew_since end
         where token_hash = $1
           and revoked_at is null
           and (renewed_at is null or renewed_at < now() - interval '30 seconds')
           and (
             (renew_since is not null and coalesce(renewed_hash, token_hash) = $2)
             or (previous_hash = $2 and previous_until > now() and not renewed_used)
           )
         returning expires_at",
        key.as_slice(),
        shown.as_slice(),
        new.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(expires_at.map(micros))
}

/// Somebody came with the new token: from here on the old one is good only for what is on its way.
pub async fn note_use(tx: &mut AuthTx, key: &TokenHash, shown: &TokenHash) -> Result<()> {
    sqlx::query!(
        "update auth.sessions
         set renewed_used = true,
             previous_until = least(previous_until, now() + interval '30 seconds')
         where token_hash = $1
           and renewed_hash = $2
           and not renewed_used",
        key.as_slice(),
        shown.as_slice()
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
