//! Asking for another address: a letter to it with the link that makes the change, or, where it has an account, with the way
//! in; and one to the old address with the link that stops it.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::AppError;
use clarity_domain::names::parse_email;
use clarity_runtime::clock::now_us;
use clarity_store::auth::email_change::{self as store, NewEmailChange};
use clarity_store::auth::{user, workspace};
use serde_json::json;

use super::{LINK_LIFE, Noted};
use crate::Services;
use crate::error::fault;
use crate::mail::Letter;
use crate::second_factor::just_now;
use crate::visitor::{Client, Visitor, new_token};

impl Services {
    /// Sends both letters. Nothing changes before the link is used; a change that was asked for before is dead, and what
    /// stopped it stops this one.
    ///
    /// # Errors
    /// `Unauthenticated`; `Forbidden` for a session that came by single sign-on; `ConfirmNeeded`; `Invalid` at the field
    /// `email`; `RateLimited`.
    pub async fn ask_email_change(&self, visitor: &Visitor, email: &str, client: &Client) -> Result<(), AppError> {
        self.throttle.take(&client.address)?;
        let member = visitor.whole()?;
        just_now(&member.proof)?;
        let email = parse_email(email)?;
        let here = &member.session.user;
        if email == here.email {
            return Err(AppError::invalid("email", "This is your e-mail address already."));
        }
        self.throttle.take_email_change(here.id, &email)?;

        let (token, token_hash) = new_token()?;
        let (stop, stop_hash) = new_token()?;
        let at = |path: &str| format!("{}{path}", self.settings.public_url);
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let known = user::lock(&mut tx, here.id).await.map_err(fault)?;
        let user = known.ok_or_else(AppError::unauthenticated)?.user;
        let taken = user::exists(&mut tx, &email).await.map_err(fault)?;
        let new = NewEmailChange {
            user: user.id,
            email: &email,
            token_hash: &token_hash,
            stop_hash: &stop_hash,
            expires_at: now_us() + LINK_LIFE,
        };
        store::replace(&mut tx, &new).await.map_err(fault)?;
        if taken {
            // Nobody is told the link: what waits never comes to be.
            let letter = Letter::EmailWanted { sign_in: &at("/sign-in"), reset: &at("/reset") };
            self.post(&mut tx, &email, &letter).await?;
        } else {
            self.post(&mut tx, &email, &Letter::ConfirmEmail { link: &at(&format!("/email/{token}")) }).await?;
        }
        let link = at(&format!("/email/stop/{stop}"));
        self.post(&mut tx, &user.email, &Letter::EmailChangeAsked { email: &email, link: &link }).await?;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        let noted = Noted {
            act: Act::AskEmailChange,
            before: None,
            after: Some(json!({ "asked_for": email })),
            outcome: Outcome::Done,
        };
        self.note_email(&seats, &user, noted, client).await?;
        tx.commit().await.map_err(fault)
    }
}
