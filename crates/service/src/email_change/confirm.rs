//! Making the change: by the link in the letter to the new address, in a session of the same person.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::view::session::{EmailChange, UserCard};
use clarity_store::StoreError;
use clarity_store::auth::email_change as store;
use clarity_store::auth::workspace::SeatRow;
use clarity_store::auth::{password_reset, pending_sign_in, session, user, workspace};
use serde_json::json;

use super::Noted;
use crate::Services;
use crate::error::fault;
use crate::mail::Letter;
use crate::visitor::{Client, Visitor, token_hash};

impl Services {
    /// What the link would change. Looking changes nothing: mail scanners follow links.
    ///
    /// # Errors
    /// `Unauthenticated`; `Forbidden` for a session that came by single sign-on; `NotFound`: the link was used, stopped, is too
    /// old, is somebody else's or never was.
    pub async fn find_email_change(&self, visitor: &Visitor, token: &str) -> Result<EmailChange, AppError> {
        let user = &visitor.whole()?.session.user;
        let hash = token_hash(token).ok_or_else(not_yours)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let email = store::find(&mut tx, &hash, user.id).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let to = email.ok_or_else(not_yours)?;
        Ok(EmailChange { from: user.email.clone(), to })
    }

    /// From now on the visitor has the new address. Their other sessions end, and links for a new password that went to the
    /// old address are dead; that address is told. Uses the link up.
    ///
    /// # Errors
    /// As [`Services::find_email_change`]; `Conflict` when somebody else has the address meanwhile; `RateLimited`.
    pub async fn change_email(&self, visitor: &Visitor, token: &str, client: &Client) -> Result<(), AppError> {
        self.throttle.take(&client.address)?;
        let member = visitor.whole()?;
        let hash = token_hash(token).ok_or_else(not_yours)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let known = user::lock(&mut tx, member.session.user.id).await.map_err(fault)?;
        let user = known.ok_or_else(AppError::unauthenticated)?.user;
        let email = store::consume(&mut tx, &hash, user.id).await.map_err(fault)?.ok_or_else(not_yours)?;
        if let Err(error) = user::set_email(&mut tx, user.id, &email).await {
            drop(tx);
            return Err(self.note_taken(&member.seats, &user, &email, error, client).await);
        }
        session::revoke_others(&mut tx, user.id, &member.token).await.map_err(fault)?;
        pending_sign_in::forget(&mut tx, user.id).await.map_err(fault)?;
        password_reset::forget(&mut tx, user.id).await.map_err(fault)?;
        let sign_in = format!("{}/sign-in", self.settings.public_url);
        self.post(&mut tx, &user.email, &Letter::EmailChanged { email: &email, sign_in: &sign_in }).await?;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        self.note_email(&seats, &user, changed(&user, &email, Outcome::Done), client).await?;
        tx.commit().await.map_err(fault)
    }

    /// Why the address could not be set; that somebody else has it is written down.
    async fn note_taken(
        &self,
        seats: &[SeatRow],
        user: &UserCard,
        email: &str,
        error: StoreError,
        client: &Client,
    ) -> AppError {
        if !matches!(error, StoreError::Conflict(_)) {
            return fault(error);
        }
        match self.note_email(seats, user, changed(user, email, Outcome::Refused), client).await {
            Ok(()) => AppError::new(
                ErrorCode::Conflict,
                "Meanwhile another account has this e-mail, so it cannot be yours. Choose another one; yours stays as it is.",
            ),
            Err(error) => error,
        }
    }
}

fn changed(user: &UserCard, email: &str, outcome: Outcome) -> Noted {
    let (before, after) = (json!({ "email": user.email }), json!({ "email": email }));
    Noted { act: Act::ChangeEmail, before: Some(before), after: Some(after), outcome }
}

/// The answer for every link that cannot be used here, whatever the reason.
fn not_yours() -> AppError {
    AppError::new(
        ErrorCode::NotFound,
        "This link changes nothing for the account you are signed in with: it was used or stopped, it is too old, or it is another account's.",
    )
}
