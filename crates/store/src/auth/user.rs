//! People with a sign-in.

use crate::at::{micros, timestamp};
use crate::{AuthTx, Result};
use clarity_domain::ids::UserId;
use clarity_domain::time::Micros;
use clarity_domain::view::session::UserCard;

/// What a sign-in needs to know of a person.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub user: UserCard,
    /// Argon2id, PHC string.
    pub password_hash: String,
    pub failed_sign_ins: i32,
    pub blocked_until: Option<Micros>,
    /// The operator has closed the account: whatever is right, nobody signs in to it.
    pub disabled: bool,
}

/// As [`lock`], by e-mail address, in lower case. Whoever changes the address at this moment is waited for: one that is not this
/// person's any more finds nobody.
pub async fn lock_by_email(tx: &mut AuthTx, email: &str) -> Result<Option<Credentials>> {
    let row = sqlx::query!(
        r#"select id, email, name, password_hash, failed_sign_ins, sign_in_blocked_until,
                  disabled_at is not null as "disabled!"
         from auth.users
         where email = $1
         for update"#,
        email
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Credentials {
        user: UserCard { id: UserId(r.id), name: r.name, email: r.email },
        password_hash: r.password_hash,
        failed_sign_ins: r.failed_sign_ins,
        blocked_until: r.sign_in_blocked_until.map(micros),
        disabled: r.disabled,
    }))
}

/// The person, until the transaction ends nobody else's: attempts are counted one by one, and whatever changes how they sign in
/// begins with this, so that two of them at once wait for each other in order.
pub async fn lock(tx: &mut AuthTx, id: UserId) -> Result<Option<Credentials>> {
    let row = sqlx::query!(
        r#"select id, email, name, password_hash, failed_sign_ins, sign_in_blocked_until,
                  disabled_at is not null as "disabled!"
         from auth.users
         where id = $1
         for update"#,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Credentials {
        user: UserCard { id: UserId(r.id), name: r.name, email: r.email },
        password_hash: r.password_hash,
        failed_sign_ins: r.failed_sign_ins,
        blocked_until: r.sign_in_blocked_until.map(micros),
        disabled: r.disabled,
    }))
}

/// Whether an account has this address.
pub async fn exists(tx: &mut AuthTx, email: &str) -> Result<bool> {
    let found = sqlx::query_scalar!(r#"select exists (select from auth.users where email = $1) as "exists!""#, email)
        .fetch_one(tx.conn())
        .await?;
    Ok(found)
}

/// The person of an address.
pub async fn find_by_email(tx: &mut AuthTx, email: &str) -> Result<Option<UserCard>> {
    let row = sqlx::query!("select id, name, email from auth.users where email = $1", email)
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(|r| UserCard { id: UserId(r.id), name: r.name, email: r.email }))
}

/// Whether the operator has closed this account.
pub async fn is_disabled(tx: &mut AuthTx, id: UserId) -> Result<bool> {
    let disabled = sqlx::query_scalar!(
        r#"select exists (
             select from auth.users where id = $1 and disabled_at is not null
           ) as "disabled!""#,
        id.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(disabled)
}

/// Closes the account of an address, or opens it again; whose it is. Who is signing in at this moment is waited for.
pub async fn set_disabled(tx: &mut AuthTx, email: &str, disabled: bool) -> Result<Option<UserCard>> {
    let row = sqlx::query!(
        "update auth.users
         set disabled_at = case when $2 then coalesce(disabled_at, now()) end
         where email = $1
         returning id, name, email",
        email,
        disabled
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| UserCard { id: UserId(r.id), name: r.name, email: r.email }))
}

/// `verified`: a letter has reached them at this address.
///
/// # Errors
/// `Conflict("users_email_key")` when the address is taken.
pub async fn insert(tx: &mut AuthTx, user: &UserCard, password_hash: &str, verified: bool) -> Result<()> {
    sqlx::query!(
        "insert into auth.users (id, email, name, password_hash, email_verified_at)
         values ($1, $2, $3, $4, case when $5 then now() end)",
        user.id.0,
        user.email,
        user.name,
        password_hash,
        verified
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A letter reached the address: it is the person's.
pub async fn note_email_verified(tx: &mut AuthTx, id: UserId) -> Result<()> {
    sqlx::query!("update auth.users set email_verified_at = coalesce(email_verified_at, now()) where id = $1", id.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Another address, which a letter has reached.
///
/// # Errors
/// `Conflict("users_email_key")` when the address is taken.
pub async fn set_email(tx: &mut AuthTx, id: UserId, email: &str) -> Result<()> {
    sqlx::query!("update auth.users set email = $2, email_verified_at = now() where id = $1", id.0, email)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Counts a wrong password; until `blocked_until` the next attempt is not looked at.
pub async fn note_failed_sign_in(tx: &mut AuthTx, id: UserId, blocked_until: Option<Micros>) -> Result<()> {
    sqlx::query!(
        "update auth.users
         set failed_sign_ins = failed_sign_ins + 1, sign_in_blocked_until = $2
         where id = $1",
        id.0,
        blocked_until.map(timestamp)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The attempt that was counted was no mistake, and no sign-in either: a code is asked for next. The mistakes before it
/// stay counted, or whoever knows the password could guess codes without end.
pub async fn take_back_attempt(tx: &mut AuthTx, id: UserId) -> Result<()> {
    sqlx::query!(
        "update auth.users
         set failed_sign_ins = greatest(failed_sign_ins - 1, 0), sign_in_blocked_until = null
         where id = $1",
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Another password; mistakes with the old one count no more.
pub async fn set_password(tx: &mut AuthTx, id: UserId, password_hash: &str) -> Result<()> {
    sqlx::query!(
        "update auth.users
         set password_hash = $2, failed_sign_ins = 0, sign_in_blocked_until = null
         where id = $1",
        id.0,
        password_hash
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Keeps the password that was shown under today's parameters; false when it is another one by now.
pub async fn rehash(tx: &mut AuthTx, id: UserId, shown: &str, rehashed: &str) -> Result<bool> {
    let done = sqlx::query!(
        "update auth.users
         set password_hash = $3
         where id = $1
           and password_hash = $2",
        id.0,
        shown,
        rehashed
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// After a right password.
pub async fn note_sign_in(tx: &mut AuthTx, id: UserId) -> Result<()> {
    sqlx::query!(
        "update auth.users
         set failed_sign_ins = 0, sign_in_blocked_until = null
         where id = $1",
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
