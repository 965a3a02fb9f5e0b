//! Another e-mail address that waits for the link in the letter to it; one at a time for a person.
//!
//! Two links, each kept as its hash: the one that makes the change is its person's alone, the one that stops it is for
//! whoever reads the old mailbox. A stop is not for one change: within its hour it stops whichever waits, or whoever asks
//! twice would put out what the first letter said.

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

/// Keeps a change in place of the person's last one, and the link that stops it beside those of before. Forgets what is over,
/// of anybody.
pub async fn replace(tx: &mut AuthTx, new: &NewEmailChange<'_>) -> Result<()> {
    sqlx::query!("delete from auth.email_changes where expires_at < now()").execute(tx.conn()).await?;
    sqlx::query!("delete from auth.email_stops where expires_at < now()").execute(tx.conn()).await?;
    sqlx::query!(
        "insert into auth.email_changes (user_id, email, token_hash, expires_at)
         values ($1, $2, $3, $4)
         on conflict (user_id) do update
         set email = excluded.email, token_hash = excluded.token_hash, created_at = now(),
             expires_at = excluded.expires_at",
        new.user.0,
        new.email,
        new.token_hash.as_slice(),
        timestamp(new.expires_at)
    )
    .execute(tx.conn())
    .await?;
    sqlx::query!(
        "insert into auth.email_stops (stop_hash, user_id, expires_at) values ($1, $2, $3)",
        new.stop_hash.as_slice(),
        new.user.0,
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

/// As [`find`], and the change is gone, with every link that stops one: they were sent to an address that is no longer the
/// person's. `None` when it is not there: of two at once, one wins.
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
    if email.is_some() {
        forget_stops(tx, user).await?;
    }
    Ok(email)
}

/// What a link in a letter to the old address stops, by now.
pub async fn find_by_stop(tx: &mut AuthTx, hash: &TokenHash) -> Result<Option<Waiting>> {
    let row = sqlx::query!(
        r#"select u.id, u.name, u.email, c.email as "wanted!"
           from auth.email_stops s
           join auth.users u on u.id = s.user_id
           join auth.email_changes c on c.user_id = s.user_id
           where s.stop_hash = $1
             and s.expires_at > now()
             and c.expires_at > now()"#,
        hash.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Waiting { user: UserCard { id: UserId(r.id), name: r.name, email: r.email }, email: r.wanted }))
}

/// Ends the change that this link stops, and every such link of the person; the address it waited with. The caller has locked
/// the person. `None` when it is not there any more: it was made, or stopped, meanwhile.
pub async fn stop(tx: &mut AuthTx, hash: &TokenHash, user: UserId) -> Result<Option<String>> {
    let email = sqlx::query_scalar!(
        "delete from auth.email_changes
         where user_id = $2
           and expires_at > now()
           and exists (
             select from auth.email_stops
             where stop_hash = $1 and user_id = $2 and expires_at > now()
           )
         returning email",
        hash.as_slice(),
        user.0
    )
    .fetch_optional(tx.conn())
    .await?;
    if email.is_some() {
        forget_stops(tx, user).await?;
    }
    Ok(email)
}

async fn forget_stops(tx: &mut AuthTx, user: UserId) -> Result<()> {
    sqlx::query!("delete from auth.email_stops where user_id = $1", user.0).execute(tx.conn()).await?;
    Ok(())
}

/// Ends whatever change of this person waits; the address it waited with. The links that stop one stay for their hour: what is
/// asked for next is stopped by them too.
pub async fn forget(tx: &mut AuthTx, user: UserId) -> Result<Option<String>> {
    let email = sqlx::query_scalar!("delete from auth.email_changes where user_id = $1 returning email", user.0)
        .fetch_optional(tx.conn())
        .await?;
    Ok(email)
}
