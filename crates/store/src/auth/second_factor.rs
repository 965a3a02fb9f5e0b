//! A person's second factor: the sealed secret that their app has as well, and the recovery codes.
//!
//! Each code is taken by one conditional update, so that of two at once one wins.

use clarity_domain::ids::UserId;
use clarity_domain::time::Micros;

use crate::at::micros;
use crate::{AuthTx, Result};

/// The secret that the app has as well.
#[derive(Clone, Debug)]
pub struct TotpRow {
    /// Sealed; only the service can open it.
    pub secret_box: Vec<u8>,
    pub begun_at: Micros,
    /// `None`: a first code is waited for, and nobody is asked for one yet.
    pub confirmed_at: Option<Micros>,
}

/// A recovery code as it is kept.
pub type CodeHash = [u8; 32];

pub async fn find(tx: &mut AuthTx, user: UserId) -> Result<Option<TotpRow>> {
    let row = sqlx::query!("select secret_box, begun_at, confirmed_at from auth.totp where user_id = $1", user.0)
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(|r| TotpRow {
        secret_box: r.secret_box,
        begun_at: micros(r.begun_at),
        confirmed_at: r.confirmed_at.map(micros),
    }))
}

/// Keeps a new secret in the place of one that was never confirmed. False when there is one that was.
pub async fn begin(tx: &mut AuthTx, user: UserId, secret_box: &[u8]) -> Result<bool> {
    let begun = sqlx::query!(
        "insert into auth.totp (user_id, secret_box) values ($1, $2)
         on conflict (user_id) do update
         set secret_box = excluded.secret_box, begun_at = now(), last_step = 0
         where totp.confirmed_at is null",
        user.0,
        secret_box
    )
    .execute(tx.conn())
    .await?;
    Ok(begun.rows_affected() == 1)
}

/// A first code of this very secret was right. False when another took its place meanwhile, or it was confirmed before.
pub async fn confirm(tx: &mut AuthTx, user: UserId, secret_box: &[u8], step: i64) -> Result<bool> {
    let confirmed = sqlx::query!(
        "update auth.totp
         set confirmed_at = now(), last_step = $3
         where user_id = $1
           and secret_box = $2
           and confirmed_at is null",
        user.0,
        secret_box,
        step
    )
    .execute(tx.conn())
    .await?;
    Ok(confirmed.rows_affected() == 1)
}

/// Takes the code of a step. False when it, or a later one, was taken before.
pub async fn take_step(tx: &mut AuthTx, user: UserId, step: i64) -> Result<bool> {
    let taken = sqlx::query!(
        "update auth.totp
         set last_step = $2
         where user_id = $1
           and confirmed_at is not null
           and last_step < $2",
        user.0,
        step
    )
    .execute(tx.conn())
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Removes the secret. False when there was none.
pub async fn remove(tx: &mut AuthTx, user: UserId) -> Result<bool> {
    let gone = sqlx::query!("delete from auth.totp where user_id = $1 and confirmed_at is not null", user.0)
        .execute(tx.conn())
        .await?;
    Ok(gone.rows_affected() == 1)
}

/// Removes the codes: there is nothing left that they could stand in for.
pub async fn remove_codes(tx: &mut AuthTx, user: UserId) -> Result<()> {
    sqlx::query!("delete from auth.recovery_codes where user_id = $1", user.0).execute(tx.conn()).await?;
    Ok(())
}

/// These codes are the person's from now on, and no older one.
pub async fn replace_codes(tx: &mut AuthTx, user: UserId, hashes: &[CodeHash]) -> Result<()> {
    sqlx::query!("delete from auth.recovery_codes where user_id = $1", user.0).execute(tx.conn()).await?;
    for hash in hashes {
        sqlx::query!("insert into auth.recovery_codes (user_id, code_hash) values ($1, $2)", user.0, hash.as_slice())
            .execute(tx.conn())
            .await?;
    }
    Ok(())
}

/// Uses a code. False when it is none of the person's, or was used before.
pub async fn use_code(tx: &mut AuthTx, user: UserId, hash: &CodeHash) -> Result<bool> {
    let used = sqlx::query!(
        "update auth.recovery_codes
         set used_at = now()
         where user_id = $1
           and code_hash = $2
           and used_at is null",
        user.0,
        hash.as_slice()
    )
    .execute(tx.conn())
    .await?;
    Ok(used.rows_affected() == 1)
}

/// Codes that have not been used.
pub async fn count_codes(tx: &mut AuthTx, user: UserId) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from auth.recovery_codes where user_id = $1 and used_at is null"#,
        user.0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(count)
}
