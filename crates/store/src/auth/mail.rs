//! Letters on their way (an outbox): written beside what they tell of, taken by a server that sends them.
//!
//! Taking a letter moves its next attempt ahead, so that no other server sends it meanwhile; a server that dies with it
//! loses it to the others when that time has come. So a letter is sent once or, after a crash at the wrong moment, twice,
//! but never not at all. Its bodies hold links that let their bearer in: they are gone when it is sent or given up.

use crate::at::micros;
use crate::{AuthTx, Result};
use clarity_domain::ids::MailId;
use clarity_domain::view::outbox::{LetterLine, OpenLetter};

/// No `Debug`: a body holds links.
#[derive(Clone)]
pub struct NewMail<'a> {
    pub id: MailId,
    pub kind: &'a str,
    pub to: &'a str,
    pub subject: &'a str,
    pub text: &'a str,
    pub html: &'a str,
    /// It is never due: this server has nobody to hand letters to.
    pub kept: bool,
}

/// A letter that was taken. No `Debug`: a body holds links.
#[derive(Clone)]
pub struct DueMail {
    pub id: MailId,
    pub kind: String,
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Counted from 1, this one included.
    pub attempt: i32,
}

pub async fn insert(tx: &mut AuthTx, new: &NewMail<'_>) -> Result<()> {
    sqlx::query!(
        "insert into auth.mails (id, kind, to_address, subject, body_text, body_html, next_attempt_at)
         values ($1, $2, $3, $4, $5, $6, case when $7::bool then 'infinity'::timestamptz else now() end)",
        new.id.0,
        new.kind,
        new.to,
        new.subject,
        new.text,
        new.html,
        new.kept
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Takes the letters that are due, at most `most`, for `lease_s` seconds: within them their sender says how it went.
pub async fn claim(tx: &mut AuthTx, most: i64, lease_s: f64) -> Result<Vec<DueMail>> {
    let rows = sqlx::query!(
        "with due as (
           select id
           from auth.mails
           where sent_at is null
             and gave_up_at is null
             and next_attempt_at <= now()
           order by next_attempt_at
           limit $1
           for update skip locked
         )
         update auth.mails m
         set attempts = m.attempts + 1, next_attempt_at = now() + $2::float8 * interval '1 second'
         from due
         where m.id = due.id
         returning m.id, m.kind, m.to_address, m.subject, m.body_text, m.body_html, m.attempts",
        most,
        lease_s
    )
    .fetch_all(tx.conn())
    .await?;
    let taken = rows.into_iter().map(|r| DueMail {
        id: MailId(r.id),
        kind: r.kind,
        to: r.to_address,
        subject: r.subject,
        text: r.body_text,
        html: r.body_html,
        attempt: r.attempts,
    });
    Ok(taken.collect())
}

/// The mail server has taken it.
pub async fn note_sent(tx: &mut AuthTx, id: MailId) -> Result<()> {
    sqlx::query!(
        "update auth.mails
         set sent_at = now(), body_text = '', body_html = '', last_error = null
         where id = $1
           and sent_at is null",
        id.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// This attempt failed, for the reason that `code` names: the next one is in 1 min, 2, 4 … 1 h. True: it was the last,
/// because the letter is a day old or `hopeless`. An attempt that is no longer the newest one changes nothing.
pub async fn note_failed(tx: &mut AuthTx, id: MailId, attempt: i32, code: &str, hopeless: bool) -> Result<bool> {
    let gave_up = sqlx::query_scalar!(
        r#"update auth.mails m
           set last_error = $3,
               next_attempt_at =
                 now() + least(interval '1 hour', interval '1 minute' * power(2::float8, (least(m.attempts, 7) - 1)::float8)),
               gave_up_at = case when o.is_last then now() end,
               body_text = case when o.is_last then '' else m.body_text end,
               body_html = case when o.is_last then '' else m.body_html end
           from (select id, $4::bool or created_at <= now() - interval '24 hours' as is_last from auth.mails) o
           where m.id = $1
             and o.id = m.id
             and m.attempts = $2
             and m.sent_at is null
             and m.gave_up_at is null
           returning m.gave_up_at is not null as "gave_up!""#,
        id.0,
        attempt,
        code,
        hopeless
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(gave_up.unwrap_or(false))
}

/// Removes letters older than thirty days: what became of them is of no use any more.
pub async fn forget_old(tx: &mut AuthTx) -> Result<u64> {
    let gone =
        sqlx::query!("delete from auth.mails where created_at < now() - interval '30 days'").execute(tx.conn()).await?;
    Ok(gone.rows_affected())
}

/// Removes all but the newest `most` letters, for a server that keeps them.
pub async fn keep_newest(tx: &mut AuthTx, most: i64) -> Result<()> {
    sqlx::query!(
        "delete from auth.mails
         where id in (select id from auth.mails order by created_at desc, id desc offset $1)",
        most
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Newest first.
pub async fn list_newest(tx: &mut AuthTx, most: i64) -> Result<Vec<LetterLine>> {
    let rows = sqlx::query!(
        "select id, created_at, to_address, subject
         from auth.mails
         order by created_at desc, id desc
         limit $1",
        most
    )
    .fetch_all(tx.conn())
    .await?;
    let lines = rows.into_iter().map(|r| LetterLine {
        id: MailId(r.id),
        at: micros(r.created_at),
        to: r.to_address,
        subject: r.subject,
    });
    Ok(lines.collect())
}

pub async fn find(tx: &mut AuthTx, id: MailId) -> Result<Option<OpenLetter>> {
    let row = sqlx::query!("select id, created_at, to_address, subject, body_text from auth.mails where id = $1", id.0)
        .fetch_optional(tx.conn())
        .await?;
    Ok(row.map(|r| OpenLetter {
        line: LetterLine { id: MailId(r.id), at: micros(r.created_at), to: r.to_address, subject: r.subject },
        text: r.body_text,
    }))
}
