//! Links that let a person choose a new password.

use clarity_domain::ids::UserId;
use clarity_domain::time::Micros;
use clarity_domain::view::session::UserCard;

use super::session::TokenHash;
use crate::at::timestamp;
use crate::{AuthTx, Result};

/// Keeps a link, and forgets those that nobody can use any more.
pub async fn insert(tx: &mut AuthTx, hash: &TokenHash, user: UserId, expires_at: Micros) -> Result<()> {
    sqlx::query!("delete from auth.password_resets where expires_at < now()").execute(tx.conn()).await?;
    sqlx::query!(
        "insert into auth.password_resets (token_hash, user_id, expires_at) values ($1, $2, $3)",
        hash.as_slice(),
        user.0,
        timestamp(expires_at)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Whose live link this is.
pub async fn find(tx: &mut AuthTx, hash: &TokenHash) -> Result<Option<UserCard>> {
    let row = sqlx::query!(
        "select u.id, u.name, u.email
         from auth.password_resets r
         join auth.users u on u.id = r.user_id
         where r.token_hash = $1
           and r.expires_at > now()",
        hash.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| UserCard { id: UserId(r.id), name: r.name, email: r.email }))
}

/// Ends all of this person's: the address that they were sent to is not theirs any more.
pub async fn forget(tx: &mut AuthTx, user: UserId) -> Result<()> {
    sqlx::query!("delete from auth.password_resets where user_id = $1", user.0).execute(tx.conn()).await?;
    Ok(())
}

/// Whose link this is that is too old. One that was used is forgotten, and one that is too old when the next is made.
pub async fn find_expired(tx: &mut AuthTx, hash: &TokenHash) -> Result<Option<UserCard>> {
    let row = sqlx::query!(
        "select u.id, u.name, u.email
         from auth.password_resets r
         join auth.users u on u.id = r.user_id
         where r.token_hash = $1
           and r.expires_at <= now()",
        hash.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| UserCard { id: UserId(r.id), name: r.name, email: r.email }))
}

/// Uses a live link: it and every other one of its person are gone. False when it is not there: of two at once, one wins.
pub async fn consume(tx: &mut AuthTx, hash: &TokenHash, user: UserId) -> Result<bool> {
    let used = sqlx::query!(
        "delete from auth.password_resets where token_hash = $1 and user_id = $2 and expires_at > now()",
        hash.as_slice(),
        user.0
    )
    .execute(tx.conn())
    .await?;
    if used.rows_affected() == 0 {
        return Ok(false);
    }
    forget(tx, user).await?;
    Ok(true)
}
