//! Stopping a change: by the link in the letter to the old address, without a session; or by its person, on their page.
//!
//! Whoever asked was signed in as the person and had just shown it. So the link ends every session as well, and leads on to a
//! new password. It reaches no further than a new password by letter would, which the same mailbox can have.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::view::session::EmailChange;
use clarity_store::auth::email_change as store;
use clarity_store::auth::{pending_sign_in, session, user, workspace};
use serde_json::json;

use super::Noted;
use crate::Services;
use crate::error::fault;
use crate::visitor::{Client, Visitor, token_hash};

impl Services {
    /// What the link stops. Looking changes nothing.
    ///
    /// # Errors
    /// `NotFound`: nothing waits any more.
    pub async fn find_email_stop(&self, token: &str) -> Result<EmailChange, AppError> {
        let hash = token_hash(token).ok_or_else(nothing_waits)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let waiting = store::find_by_stop(&mut tx, &hash).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let waiting = waiting.ok_or_else(nothing_waits)?;
        Ok(EmailChange { from: waiting.user.email, to: waiting.email })
    }

    /// Stops the change that waits, also where the link is of a letter about an earlier one, and ends every session of the
    /// person. Uses all links up.
    ///
    /// # Errors
    /// `NotFound` as [`Services::find_email_stop`]; `RateLimited`.
    pub async fn stop_email_change(&self, token: &str, client: &Client) -> Result<(), AppError> {
        self.throttle.take(&client.address)?;
        let hash = token_hash(token).ok_or_else(nothing_waits)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let waiting = store::find_by_stop(&mut tx, &hash).await.map_err(fault)?.ok_or_else(nothing_waits)?;
        let user = &waiting.user;
        // The person first, as whatever else changes how they sign in: the change is made before this, or never.
        user::lock(&mut tx, user.id).await.map_err(fault)?;
        // By now another one may wait, which this stops as well.
        let email = store::stop(&mut tx, &hash, user.id).await.map_err(fault)?.ok_or_else(nothing_waits)?;
        session::revoke_all(&mut tx, user.id).await.map_err(fault)?;
        pending_sign_in::forget(&mut tx, user.id).await.map_err(fault)?;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        self.note_email(&seats, user, stopped(&email), client).await?;
        tx.commit().await.map_err(fault)
    }

    /// The visitor takes back what they asked for. Nothing happens where nothing waits.
    ///
    /// # Errors
    /// `Unauthenticated`; `Forbidden` for a session that came by single sign-on.
    pub async fn withdraw_email_change(&self, visitor: &Visitor, client: &Client) -> Result<(), AppError> {
        let user = &visitor.whole()?.session.user;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let Some(email) = store::forget(&mut tx, user.id).await.map_err(fault)? else { return Ok(()) };
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        self.note_email(&seats, user, stopped(&email), client).await?;
        tx.commit().await.map_err(fault)
    }
}

fn stopped(email: &str) -> Noted {
    let before = Some(json!({ "asked_for": email }));
    Noted { act: Act::StopEmailChange, before, after: None, outcome: Outcome::Done }
}

/// The answer for every link that stops nothing, whatever the reason.
fn nothing_waits() -> AppError {
    AppError::new(
        ErrorCode::NotFound,
        "Nothing waits here any more: the change was made or stopped, or its hour is over. If you did not ask for it, choose a new password at once.",
    )
}
