//! Another e-mail address that waits for the link in the letter to it; one at a time for a person.
//!
//! Two links, each kept as its hash: the one that makes the change is its person's alone, the one that stops it is for
//! whoever reads the old mailbox.

use clarity_domain::ids::UserId;
use clarity_domain::time::Micros;
use clarity_domain::view::session::UserCard;

use super::session::TokenHash;
use crate::at::{micros, timestamp};
use crate::{AuthTx, Result};

#[derive(Clone, Debug)]
pub struct NewEmailChange<'a> {
    pub user: UserId,
    pub email: &'a str,
    pub token_hash: &'a TokenHash,
    pub stop_hash: &'a TokenHash,
    pub expires_at: Micros,
}

/// What waits: whose it is, and the address.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub user: UserCard,
    pub email: String,
}

/// Keeps a change in place of the person's last one, and forgets those of anybody that are over.
pub async fn replace(tx: &mut AuthTx, new: &NewEmailChange<'_>) -> Result<()> {
    sqlx::query!("delete from auth.email_changes where expires_at < now()").execute(tx.conn()).await?;
    sqlx::query!(
        "insert into auth.email_changes (user_id, email, token_hash, stop_hash, expires_at)
         values ($1, $2, $3, $4, $5)
         on conflict (user_id) do update
         set email = excluded.email, token_hash = excluded.token_hash, stop_hash = excluded.stop_hash,
             created_at = now(), expires_at = excluded.expires_at",
        new.user.0,
        new.email,
        new.token_hash.as_slice(),
        new.stop_hash.as_slice(),
        timestamp(new.expires_at)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The address that this person's change waits with, and until when.
pub async fn find_of(tx: &mut AuthTx, user: UserId) -> Result<Option<(String, Micros)>> {
    let row = sqlx::query!(
        "select email, expires_at from auth.email_changes where user_id = $1 and expires_at > now()",
        user.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| (r.email, micros(r.expires_at))))
}

/// The address behind a live link, where the change is this person's.
pub async fn find(tx: &mut AuthTx, hash: &TokenHash, user: UserId) -> Result<Option<String>> {
    let email = sqlx::query_scalar!(
        "select email from auth.email_changes where token_hash = $1 and user_id = $2 and expires_at > now()",
        hash.as_slice(),
        user.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(email)
}

/// As [`find`], and the change is gone. `None` when it is not there: of two at once, one wins.
pub async fn consume(tx: &mut AuthTx, hash: &TokenHash, user: UserId) -> Result<Option<String>> {
    let email = sqlx::query_scalar!(
        "delete from auth.email_changes
         where token_hash = $1 and user_id = $2 and expires_at > now()
         returning email",
        hash.as_slice(),
        user.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(email)
}

/// What the link in the letter to the old address stops.
pub async fn find_by_stop(tx: &mut AuthTx, hash: &TokenHash) -> Result<Option<Waiting>> {
    let row = sqlx::query!(
        r#"select u.id, u.name, u.email, c.email as "wanted!"
           from auth.email_changes c
           join auth.users u on u.id = c.user_id
           where c.stop_hash = $1
             and c.expires_at > now()"#,
        hash.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Waiting { user: UserCard { id: UserId(r.id), name: r.name, email: r.email }, email: r.wanted }))
}

/// Ends the change that this link stops. False when it is not there any more: it was made, or stopped, meanwhile.
pub async fn stop(tx: &mut AuthTx, hash: &TokenHash, user: UserId) -> Result<bool> {
    let gone = sqlx::query!(
        "delete from auth.email_changes where stop_hash = $1 and user_id = $2 and expires_at > now()",
        hash.as_slice(),
        user.0
    )
    .execute(tx.conn())
    .await?;
    Ok(gone.rows_affected() == 1)
}

/// Ends whatever change of this person waits; the address it waited with.
pub async fn forget(tx: &mut AuthTx, user: UserId) -> Result<Option<String>> {
    let email = sqlx::query_scalar!("delete from auth.email_changes where user_id = $1 returning email", user.0)
        .fetch_optional(tx.conn())
        .await?;
    Ok(email)
}
