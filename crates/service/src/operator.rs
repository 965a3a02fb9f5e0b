//! What an operator of the platform does about a person, by a command on its machine: ends their sessions, closes their account
//! and opens it again.
//!
//! Sessions belong to a person, who may be in several workspaces, so no workspace's owner ends them: they take the person out of
//! their workspace instead. Each of the person's workspaces finds in its log what was done.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::names::parse_email;
use clarity_domain::view::session::UserCard;
use clarity_store::AuthTx;
use clarity_store::audit::Object;
use clarity_store::auth::workspace::SeatRow;
use clarity_store::auth::{email_change, pending_sign_in, session, user, workspace};

use crate::Services;
use crate::audit::{shown, support};
use crate::error::fault;
use crate::visitor::Client;

impl Services {
    /// Ends every session of the person with this address, and sign-ins that wait for a code; how many sessions. They sign in
    /// anew.
    ///
    /// # Errors
    /// `Invalid` for what is no address; `NotFound` when nobody has it.
    pub async fn end_sessions_of(&self, email: &str) -> Result<u64, AppError> {
        let email = parse_email(email)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        // Who is signing in at this moment is in before this, or begins after it.
        let user = user::lock_by_email(&mut tx, &email).await.map_err(fault)?.ok_or_else(|| nobody(&email))?.user;
        let (ended, seats) = end_all(&mut tx, &user).await?;
        // The sessions first: they are over, whatever happens to the rest.
        tx.commit().await.map_err(fault)?;
        self.note_command(&seats, &user, Act::EndAllSessions, "end-sessions").await?;
        Ok(ended)
    }

    /// Closes the account: its sessions end at once, and every way to sign in is answered as if the password were wrong. What
    /// the person did stays, and so do their places in workspaces.
    ///
    /// # Errors
    /// As [`Services::end_sessions_of`].
    pub async fn disable_account(&self, email: &str) -> Result<u64, AppError> {
        let email = parse_email(email)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let user = user::set_disabled(&mut tx, &email, true).await.map_err(fault)?.ok_or_else(|| nobody(&email))?;
        let (ended, seats) = end_all(&mut tx, &user).await?;
        // The account first: it is closed, whatever happens to the rest.
        tx.commit().await.map_err(fault)?;
        self.note_command(&seats, &user, Act::DisableAccount, "disable-account").await?;
        Ok(ended)
    }

    /// Opens an account that was closed. Its password and second factor are what they were.
    ///
    /// # Errors
    /// As [`Services::end_sessions_of`].
    pub async fn enable_account(&self, email: &str) -> Result<(), AppError> {
        let email = parse_email(email)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let user = user::set_disabled(&mut tx, &email, false).await.map_err(fault)?.ok_or_else(|| nobody(&email))?;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        // The log first: nothing is opened that is not written down.
        self.note_command(&seats, &user, Act::EnableAccount, "enable-account").await?;
        tx.commit().await.map_err(fault)
    }

    async fn note_command(&self, seats: &[SeatRow], user: &UserCard, act: Act, command: &str) -> Result<(), AppError> {
        let (id, name) = (user.id.to_string(), shown(user));
        let object = Object { kind: "member", id: &id, name: &name };
        self.record_everywhere(seats, &support(command), act, object, Outcome::Done, &Client::local()).await
    }
}

/// Nothing that this person began goes on; how many sessions, and where they have a place.
async fn end_all(tx: &mut AuthTx, user: &UserCard) -> Result<(u64, Vec<SeatRow>), AppError> {
    let ended = session::revoke_all(tx, user.id).await.map_err(fault)?;
    pending_sign_in::forget(tx, user.id).await.map_err(fault)?;
    // Asked for in a session that has ended with these.
    email_change::forget(tx, user.id).await.map_err(fault)?;
    let seats = workspace::list_seats(tx, user.id).await.map_err(fault)?;
    Ok((ended, seats))
}

/// Said on the platform's own machine alone.
fn nobody(email: &str) -> AppError {
    AppError::new(ErrorCode::NotFound, format!("Nobody has an account with the address {email}."))
}
