//! A new password for somebody who has forgotten theirs: by a link to their address.
//!
//! Asking tells nothing of the account: the answer comes at once, and whether there is somebody to write to is looked up
//! beside it. A new password ends every session, signs nobody in, and is told to the address it belongs to. Whoever has a second
//! factor is asked for it at the next sign-in as ever.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::names::parse_email;
use clarity_domain::time::{MINUTE, Micros};
use clarity_domain::view::session::UserCard;
use clarity_runtime::clock::now_us;
use clarity_runtime::planted::planted;
use clarity_runtime::secret::Secret;
use clarity_store::audit::Object;
use clarity_store::auth::{email_change, password_reset as store, pending_sign_in, session, user, workspace};

use crate::audit as log;
use crate::error::fault;
use crate::mail::Letter;
use crate::sign_up::link_ended;
use crate::visitor::{Client, new_token, token_hash};
use crate::{Services, password};

/// How long the link can be used.
const LINK_LIFE: Micros = 30 * MINUTE;

impl Services {
    /// Sends a link to the address, if it has an account.
    ///
    /// # Errors
    /// `Invalid` at the field `email`; `RateLimited`.
    pub async fn ask_password_reset(&self, email: &str, client: &Client) -> Result<(), AppError> {
        self.throttle.take(&client.address)?;
        let email = parse_email(email)?;
        let (services, client) = (self.clone(), client.clone());
        tokio::spawn(async move {
            // What fails has been logged; the person asks again.
            let _ = services.send_reset(&email, &client).await;
        });
        Ok(())
    }

    async fn send_reset(&self, email: &str, client: &Client) -> Result<(), AppError> {
        if !self.throttle.note_letter(email) {
            tracing::warn!("too many letters to one address were asked for: not sent");
            return Ok(());
        }
        let mut tx = self.auth.begin().await.map_err(fault)?;
        // Locked: a link must not go to an address that they leave at this moment.
        let known = user::lock_by_email(&mut tx, email).await.map_err(fault)?;
        // Of an account that is closed a password would open nothing; that it is closed, no letter tells.
        let Some(known) = known.filter(|known| !known.disabled) else { return Ok(()) };
        let user = known.user;
        let (token, hash) = new_token()?;
        store::insert(&mut tx, &hash, user.id, now_us() + LINK_LIFE).await.map_err(fault)?;
        let link = format!("{}/reset/{token}", self.settings.public_url);
        self.post(&mut tx, &user.email, &Letter::ResetPassword { link: &link }).await?;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        // Asked for in their name: by whom is not known.
        let by = log::person(&user);
        self.record_everywhere(&seats, &by, Act::AskPasswordReset, Object::default(), Outcome::Done, client).await
    }

    /// Whose link this is.
    ///
    /// # Errors
    /// `NotFound`: the link was used, is too old, or never was.
    pub async fn find_password_reset(&self, token: &str) -> Result<UserCard, AppError> {
        let hash = token_hash(token).ok_or_else(link_ended)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let user = store::find(&mut tx, &hash).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        user.ok_or_else(link_ended)
    }

    /// Sets the password and ends every session of the person. Uses the link up.
    ///
    /// # Errors
    /// `NotFound` as [`Services::find_password_reset`]; `Invalid` at the field `password`; `RateLimited`.
    pub async fn reset_password(&self, token: &str, new: String, client: &Client) -> Result<(), AppError> {
        self.throttle.take(&client.address)?;
        let user = match self.find_password_reset(token).await {
            Err(error) if error.code == ErrorCode::NotFound => {
                self.note_dead_reset(token, client).await?;
                return Err(error);
            }
            found => found?,
        };
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let workspaces: Vec<&str> = seats.iter().map(|seat| seat.card.name.as_str()).collect();
        password::check_new_of_member(&new, &user.name, &user.email, &workspaces)?;
        let password_hash = self.passwords.hash(&Secret::new(new)).await?;
        let hash = token_hash(token).ok_or_else(link_ended)?;

        let mut tx = self.auth.begin().await.map_err(fault)?;
        user::lock(&mut tx, user.id).await.map_err(fault)?;
        let used =
            planted("a-link-for-a-second-time") || store::consume(&mut tx, &hash, user.id).await.map_err(fault)?;
        if !used {
            return Err(link_ended());
        }
        user::set_password(&mut tx, user.id, &password_hash).await.map_err(fault)?;
        user::note_email_verified(&mut tx, user.id).await.map_err(fault)?;
        session::revoke_all(&mut tx, user.id).await.map_err(fault)?;
        pending_sign_in::forget(&mut tx, user.id).await.map_err(fault)?;
        email_change::forget(&mut tx, user.id).await.map_err(fault)?;
        let reset = format!("{}/reset", self.settings.public_url);
        self.post(&mut tx, &user.email, &Letter::PasswordChanged { reset: &reset }).await?;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        let by = log::person(&user);
        self.record_everywhere(&seats, &by, Act::ResetPassword, Object::default(), Outcome::Done, client).await?;
        tx.commit().await.map_err(fault)
    }

    /// Somebody tried a link that is too old: the log of its person's workspaces says so. Of one that was used nothing is known
    /// any more.
    async fn note_dead_reset(&self, token: &str, client: &Client) -> Result<(), AppError> {
        let Some(hash) = token_hash(token) else { return Ok(()) };
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let user = store::find_expired(&mut tx, &hash).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        if let Some(user) = user.filter(|user| self.throttle.note_refusal(user.id)) {
            self.note_refused(user, Act::ResetPassword, client);
        }
        Ok(())
    }
}
