//! Our own people: made by a command, nobody before a password and a first code of their app were given.

use clarity_domain::ids::OpsUserId;
use clarity_domain::time::Micros;

use super::session::TokenHash;
use crate::at::{micros, timestamp};
use crate::{AuthTx, Result};

/// What a sign-in needs to know of a person.
#[derive(Clone, Debug)]
pub struct OpsCredentials {
    pub id: OpsUserId,
    pub name: String,
    pub email: String,
    /// Argon2id, PHC string.
    pub password_hash: String,
    pub totp_box: Vec<u8>,
    pub failed_sign_ins: i32,
    pub blocked_until: Option<Micros>,
}

/// Somebody who has still to give a password and a first code.
#[derive(Clone, Debug)]
pub struct Enrolling {
    pub id: OpsUserId,
    pub name: String,
    pub email: String,
    /// The sealed secret of their app, once it was made.
    pub totp_box: Option<Vec<u8>>,
}

/// Makes a person with an enrolment link, or gives the one of this address a new link: password, app and sessions of before are
/// gone with it. Whoever was disabled is not any more.
pub async fn begin_enrolment(
    tx: &mut AuthTx,
    id: OpsUserId,
    email: &str,
    name: &str,
    link: &TokenHash,
    expires_at: Micros,
) -> Result<OpsUserId> {
    let id = sqlx::query_scalar!(
        "insert into auth.ops_users as u (id, email, name, enrol_hash, enrol_expires_at)
         values ($1, $2, $3, $4, $5)
         on conflict (email) do update
         set name = excluded.name, enrol_hash = excluded.enrol_hash, enrol_expires_at = excluded.enrol_expires_at,
             password_hash = null, totp_box = null, totp_step = 0, enrolled_at = null, disabled_at = null,
             failed_sign_ins = 0, sign_in_blocked_until = null
         returning u.id",
        id.0,
        email,
        name,
        link.as_slice(),
        timestamp(expires_at)
    )
    .fetch_one(tx.conn())
    .await?;
    end_sessions(tx, OpsUserId(id)).await?;
    Ok(OpsUserId(id))
}

/// From now on this person is nobody, in open pages too. `None` when there is no such person.
pub async fn disable(tx: &mut AuthTx, email: &str) -> Result<Option<OpsUserId>> {
    let id = sqlx::query_scalar!(
        "update auth.ops_users
         set disabled_at = coalesce(disabled_at, now()), enrol_hash = null, enrol_expires_at = null
         where email = $1
         returning id",
        email
    )
    .fetch_optional(tx.conn())
    .await?;
    let id = id.map(OpsUserId);
    if let Some(id) = id {
        end_sessions(tx, id).await?;
    }
    Ok(id)
}

async fn end_sessions(tx: &mut AuthTx, id: OpsUserId) -> Result<()> {
    sqlx::query!("update auth.ops_sessions set revoked_at = now() where ops_user_id = $1 and revoked_at is null", id.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Whose live link this is. The row is locked.
pub async fn find_enrolling(tx: &mut AuthTx, link: &TokenHash) -> Result<Option<Enrolling>> {
    let row = sqlx::query!(
        "select id, name, email, totp_box
         from auth.ops_users
         where enrol_hash = $1
           and enrol_expires_at > now()
           and disabled_at is null
         for update",
        link.as_slice()
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Enrolling { id: OpsUserId(r.id), name: r.name, email: r.email, totp_box: r.totp_box }))
}

/// Keeps the sealed secret of their app until its first code.
pub async fn keep_secret(tx: &mut AuthTx, id: OpsUserId, totp_box: &[u8]) -> Result<()> {
    sqlx::query!("update auth.ops_users set totp_box = $2 where id = $1 and enrolled_at is null", id.0, totp_box)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// Password and first code were given: the link is of no use any more, and the code neither.
pub async fn finish_enrolment(tx: &mut AuthTx, id: OpsUserId, password_hash: &str, step: i64) -> Result<()> {
    sqlx::query!(
        "update auth.ops_users
         set password_hash = $2, totp_step = $3, enrolled_at = now(), enrol_hash = null, enrol_expires_at = null
         where id = $1
           and enrolled_at is null",
        id.0,
        password_hash,
        step
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// By e-mail address, in lower case; nobody who was disabled or has not enrolled. The row is locked, so that attempts on one
/// account are counted one by one.
pub async fn find_for_sign_in(tx: &mut AuthTx, email: &str) -> Result<Option<OpsCredentials>> {
    let row = sqlx::query!(
        r#"select id, name, email, password_hash as "password_hash!", totp_box as "totp_box!", failed_sign_ins,
                  sign_in_blocked_until
           from auth.ops_users
           where email = $1
             and enrolled_at is not null
             and disabled_at is null
             and password_hash is not null
             and totp_box is not null
           for update"#,
        email
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| OpsCredentials {
        id: OpsUserId(r.id),
        name: r.name,
        email: r.email,
        password_hash: r.password_hash,
        totp_box: r.totp_box,
        failed_sign_ins: r.failed_sign_ins,
        blocked_until: r.sign_in_blocked_until.map(micros),
    }))
}

/// Counts an attempt; until `blocked_until` the next one is not looked at.
pub async fn note_failed_sign_in(tx: &mut AuthTx, id: OpsUserId, blocked_until: Option<Micros>) -> Result<()> {
    sqlx::query!(
        "update auth.ops_users
         set failed_sign_ins = failed_sign_ins + 1, sign_in_blocked_until = $2
         where id = $1",
        id.0,
        blocked_until.map(timestamp)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes the code of a step, which ends the count of mistakes. False when it, or a later one, was taken before, or the person
/// is nobody any more.
pub async fn take_step(tx: &mut AuthTx, id: OpsUserId, step: i64) -> Result<bool> {
    let taken = sqlx::query!(
        "update auth.ops_users
         set totp_step = $2, failed_sign_ins = 0, sign_in_blocked_until = null
         where id = $1
           and totp_step < $2
           and enrolled_at is not null
           and disabled_at is null",
        id.0,
        step
    )
    .execute(tx.conn())
    .await?;
    Ok(taken.rows_affected() == 1)
}
