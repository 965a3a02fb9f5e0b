//! Addresses that asked for an account, each with the hash of the link that was sent there.

use clarity_domain::time::Micros;

use super::session::TokenHash;
use crate::at::timestamp;
use crate::{AuthTx, Result};

/// Keeps a link, and forgets those that nobody can use any more.
pub async fn insert(tx: &mut AuthTx, hash: &TokenHash, email: &str, expires_at: Micros) -> Result<()> {
    sqlx::query!("delete from auth.sign_ups where expires_at < now()").execute(tx.conn()).await?;
    sqlx::query!(
        "insert into auth.sign_ups (token_hash, email, expires_at) values ($1, $2, $3)",
        hash.as_slice(),
        email,
        timestamp(expires_at)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The address that a live link was sent to.
pub async fn find(tx: &mut AuthTx, hash: &TokenHash) -> Result<Option<String>> {
    let email = sqlx::query_scalar!(
        "select email from auth.sign_ups where token_hash = $1 and expires_at > now()",
        hash.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(email)
}

/// Uses a live link: it and every other one of its address are gone. `None` when it is not there: of two at once, one wins.
pub async fn consume(tx: &mut AuthTx, hash: &TokenHash) -> Result<Option<String>> {
    let email = sqlx::query_scalar!(
        "delete from auth.sign_ups where token_hash = $1 and expires_at > now() returning email",
        hash.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    if let Some(email) = &email {
        sqlx::query!("delete from auth.sign_ups where email = $1", email).execute(tx.conn()).await?;
    }
    Ok(email)
}
