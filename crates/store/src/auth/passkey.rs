//! A person's passkeys: the public half of keys that their devices hold.
//!
//! Whoever reads one to check an answer with it holds the person's row first, so that its counter moves on one by one.

use clarity_domain::ids::{PasskeyId, UserId};
use clarity_domain::time::Micros;
use serde_json::Value;

use crate::at::micros;
use crate::{AuthTx, Result};

#[derive(Clone, Debug)]
pub struct PasskeyRow {
    pub id: PasskeyId,
    pub user: UserId,
    /// By which the device names it.
    pub credential_id: Vec<u8>,
    /// The public key with its counter, as the service writes it.
    pub credential: Value,
    pub name: String,
    pub created_at: Micros,
    pub last_used_at: Option<Micros>,
}

#[derive(Clone, Debug)]
pub struct NewPasskey<'a> {
    pub id: PasskeyId,
    pub user: UserId,
    pub credential_id: &'a [u8],
    pub credential: &'a Value,
    pub name: &'a str,
}

/// A person's passkeys, the oldest first.
pub async fn list(tx: &mut AuthTx, user: UserId) -> Result<Vec<PasskeyRow>> {
    let rows = sqlx::query!(
        "select id, user_id, credential_id, credential, name, created_at, last_used_at
         from auth.passkeys
         where user_id = $1
         order by created_at, id",
        user.0
    )
    .fetch_all(tx.conn())
    .await?;
    let all = rows.into_iter().map(|r| PasskeyRow {
        id: PasskeyId(r.id),
        user: UserId(r.user_id),
        credential_id: r.credential_id,
        credential: r.credential,
        name: r.name,
        created_at: micros(r.created_at),
        last_used_at: r.last_used_at.map(micros),
    });
    Ok(all.collect())
}

/// Whether a person has one.
pub async fn any(tx: &mut AuthTx, user: UserId) -> Result<bool> {
    let found =
        sqlx::query_scalar!(r#"select exists (select from auth.passkeys where user_id = $1) as "exists!""#, user.0)
            .fetch_one(tx.conn())
            .await?;
    Ok(found)
}

/// Whose the passkey of this name is.
pub async fn find_owner(tx: &mut AuthTx, credential_id: &[u8]) -> Result<Option<UserId>> {
    let user = sqlx::query_scalar!("select user_id from auth.passkeys where credential_id = $1", credential_id)
        .fetch_optional(tx.conn())
        .await?;
    Ok(user.map(UserId))
}

/// This person's passkey of this name.
pub async fn find(tx: &mut AuthTx, user: UserId, credential_id: &[u8]) -> Result<Option<PasskeyRow>> {
    let row = sqlx::query!(
        "select id, user_id, credential_id, credential, name, created_at, last_used_at
         from auth.passkeys
         where user_id = $1 and credential_id = $2",
        user.0,
        credential_id
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| PasskeyRow {
        id: PasskeyId(r.id),
        user: UserId(r.user_id),
        credential_id: r.credential_id,
        credential: r.credential,
        name: r.name,
        created_at: micros(r.created_at),
        last_used_at: r.last_used_at.map(micros),
    }))
}

/// False when there is one of this name already, whoever's it is.
pub async fn insert(tx: &mut AuthTx, new: &NewPasskey<'_>) -> Result<bool> {
    let made = sqlx::query!(
        "insert into auth.passkeys (id, user_id, credential_id, credential, name)
         values ($1, $2, $3, $4, $5)
         on conflict (credential_id) do nothing",
        new.id.0,
        new.user.0,
        new.credential_id,
        new.credential,
        new.name
    )
    .execute(tx.conn())
    .await?;
    Ok(made.rows_affected() == 1)
}

/// It was shown: its counter is where `credential` says.
pub async fn note_use(tx: &mut AuthTx, user: UserId, id: PasskeyId, credential: &Value) -> Result<()> {
    sqlx::query!(
        "update auth.passkeys set credential = $3, last_used_at = now() where user_id = $1 and id = $2",
        user.0,
        id.0,
        credential
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// What it was called before; `None` when it is not there or somebody else's.
pub async fn rename(tx: &mut AuthTx, user: UserId, id: PasskeyId, name: &str) -> Result<Option<String>> {
    let before = sqlx::query_scalar!(
        r#"with known as (
             select id, name
             from auth.passkeys
             where user_id = $1 and id = $2
             for update
           )
           update auth.passkeys p
           set name = $3
           from known
           where p.id = known.id
           returning known.name as "name!""#,
        user.0,
        id.0,
        name
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(before)
}

/// What it was called; `None` when it is not there or somebody else's.
pub async fn remove(tx: &mut AuthTx, user: UserId, id: PasskeyId) -> Result<Option<String>> {
    let name =
        sqlx::query_scalar!("delete from auth.passkeys where user_id = $1 and id = $2 returning name", user.0, id.0)
            .fetch_optional(tx.conn())
            .await?;
    Ok(name)
}
