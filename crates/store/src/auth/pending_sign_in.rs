//! Sign-ins between the right password and the code. No session: what is here lets nobody in.

use clarity_domain::ids::UserId;
use clarity_domain::time::Micros;

use super::session::TokenHash;
use crate::at::timestamp;
use crate::{AuthTx, Result};

/// Codes that may be tried with one right password.
pub const MAX_ATTEMPTS: i32 = 5;

/// Keeps one, and forgets those that nobody can go on with any more.
pub async fn insert(tx: &mut AuthTx, hash: &TokenHash, user: UserId, expires_at: Micros) -> Result<()> {
    sqlx::query!("delete from auth.pending_sign_ins where expires_at < now()").execute(tx.conn()).await?;
    sqlx::query!(
        "insert into auth.pending_sign_ins (token_hash, user_id, expires_at) values ($1, $2, $3)",
        hash.as_slice(),
        user.0,
        timestamp(expires_at)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whose open sign-in this is.
pub async fn find(tx: &mut AuthTx, hash: &TokenHash) -> Result<Option<UserId>> {
    let user = sqlx::query_scalar!(
        "select user_id from auth.pending_sign_ins where token_hash = $1 and expires_at > now() and attempts < $2",
        hash.as_slice(),
        MAX_ATTEMPTS
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(user.map(UserId))
}

/// Counts one more code; how many are left after it. `None` when it is over: of many at once, five are looked at.
pub async fn note_attempt(tx: &mut AuthTx, hash: &TokenHash) -> Result<Option<i32>> {
    let attempts = sqlx::query_scalar!(
        "update auth.pending_sign_ins
         set attempts = attempts + 1
         where token_hash = $1
           and expires_at > now()
           and attempts < $2
         returning attempts",
        hash.as_slice(),
        MAX_ATTEMPTS
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(attempts.map(|attempts| MAX_ATTEMPTS - attempts))
}

/// Ends it by a sign-in. False when it is not there: of two at once, one wins.
pub async fn consume(tx: &mut AuthTx, hash: &TokenHash, user: UserId) -> Result<bool> {
    let used = sqlx::query!(
        "delete from auth.pending_sign_ins where token_hash = $1 and user_id = $2 and expires_at > now()",
        hash.as_slice(),
        user.0
    )
    .execute(tx.conn())
    .await?;
    Ok(used.rows_affected() == 1)
}

/// Ends all of this person's: their password or their second factor is another one now.
pub async fn forget(tx: &mut AuthTx, user: UserId) -> Result<()> {
    sqlx::query!("delete from auth.pending_sign_ins where user_id = $1", user.0).execute(tx.conn()).await?;
    Ok(())
}
