//! Adding a second factor, removing it, and new recovery codes: in one's own name, by somebody who has just shown that it is
//! them. Whatever changes is told by letter.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::view::second_factor::Enrolment;
use clarity_runtime::clock::now_us;
use clarity_runtime::secret::random_bytes;
use clarity_store::AuthTx;
use clarity_store::audit::Object;
use clarity_store::auth::sso::connection;
use clarity_store::auth::workspace::SsoRule;
use clarity_store::auth::{pending_sign_in, second_factor as store, session, user, workspace};
use zeroize::Zeroizing;

use super::{codes, enrolment, has_second_factor, is_open, step_up, totp, wrong_code};
use crate::Services;
use crate::audit as log;
use crate::error::{broken, fault};
use crate::mail::Letter;
use crate::visitor::{Client, Visitor};

/// As RFC 4226 asks for: as long as what is made of it.
const SECRET_BYTES: usize = 20;

impl Services {
    /// Makes a secret for the person's app. Nothing is asked for until a first code of it was right.
    ///
    /// # Errors
    /// `Unauthenticated`; `ConfirmNeeded`; `Conflict` when there is a second factor already.
    pub async fn begin_enrolment(&self, visitor: &Visitor) -> Result<Enrolment, AppError> {
        let member = visitor.whole()?;
        step_up::recent(&member.proof)?;
        let user = &member.session.user;
        let secret = Zeroizing::new(random_bytes::<SECRET_BYTES>().map_err(broken)?);
        let sealed = self.settings.secrets.seal(user.id, secret.as_slice())?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        if !store::begin(&mut tx, user.id, &sealed).await.map_err(fault)? {
            return Err(AppError::new(ErrorCode::Conflict, "You have a second factor already. Remove it first."));
        }
        tx.commit().await.map_err(fault)?;
        enrolment(user, secret.as_slice())
    }

    /// A first code of the new secret: from now on the person is asked for one. Ends their other sessions, which have shown
    /// none. The recovery codes are in the answer and nowhere else.
    ///
    /// # Errors
    /// `Unauthenticated`; `Invalid` at the field `code`; `Conflict` when no secret waits for its first code; `RateLimited`.
    pub async fn confirm_enrolment(
        &self,
        visitor: &Visitor,
        code: &str,
        client: &Client,
    ) -> Result<Vec<String>, AppError> {
        self.throttle.take(&client.address)?;
        let member = visitor.whole()?;
        let user = &member.session.user;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        // A sign-in that goes on at the same moment waits here, or is ended below.
        user::lock(&mut tx, user.id).await.map_err(fault)?;
        let row = store::find(&mut tx, user.id).await.map_err(fault)?.filter(is_open).ok_or_else(not_begun)?;
        let secret = self.settings.secrets.open(user.id, &row.secret_box)?;
        let step = totp::read_code(code).and_then(|code| totp::find_step(&secret, code, now_us()));
        let step = step.ok_or_else(wrong_code)?;
        if !store::confirm(&mut tx, user.id, &row.secret_box, step).await.map_err(fault)? {
            return Err(not_begun());
        }
        let made = self.replace_codes(&mut tx, user.id).await?;
        session::confirm(&mut tx, &member.token, true).await.map_err(fault)?;
        session::revoke_others(&mut tx, user.id, &member.token).await.map_err(fault)?;
        pending_sign_in::forget(&mut tx, user.id).await.map_err(fault)?;
        let reset = format!("{}/reset", self.settings.public_url);
        self.post(&mut tx, &user.email, &Letter::SecondFactorAdded { reset: &reset }).await?;
        self.finish(tx, visitor, Act::EnrolSecondFactor, client).await?;
        Ok(made)
    }

    /// Takes the app's codes away; with the last second factor go the recovery codes.
    ///
    /// # Errors
    /// `Unauthenticated`; `ConfirmNeeded`; `NotFound` when there is none; `Conflict` for the last second factor of an owner who may
    /// come in past single sign-on.
    pub async fn remove_second_factor(&self, visitor: &Visitor, client: &Client) -> Result<(), AppError> {
        let member = visitor.whole()?;
        step_up::recent(&member.proof)?;
        let user = &member.session.user;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        user::lock(&mut tx, user.id).await.map_err(fault)?;
        if !store::remove(&mut tx, user.id).await.map_err(fault)? {
            return Err(none());
        }
        self.after_removal(&mut tx, user.id).await?;
        let reset = format!("{}/reset", self.settings.public_url);
        self.post(&mut tx, &user.email, &Letter::SecondFactorRemoved { reset: &reset }).await?;
        self.finish(tx, visitor, Act::RemoveSecondFactor, client).await
    }

    /// Ten new recovery codes; the ones before are of no use any more.
    ///
    /// # Errors
    /// `Unauthenticated`; `ConfirmNeeded`; `NotFound` when there is no second factor.
    pub async fn new_recovery_codes(&self, visitor: &Visitor, client: &Client) -> Result<Vec<String>, AppError> {
        let member = visitor.whole()?;
        step_up::recent(&member.proof)?;
        let user = &member.session.user;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        if !has_second_factor(&mut tx, user.id).await? {
            return Err(none());
        }
        let made = self.replace_codes(&mut tx, user.id).await?;
        self.finish(tx, visitor, Act::NewRecoveryCodes, client).await?;
        Ok(made)
    }

    /// One second factor is gone: sign-ins that wait begin anew, and with the last one go the recovery codes, what sessions have
    /// shown, and the marks of an owner who may come in past single sign-on.
    ///
    /// # Errors
    /// `Conflict` for the last one of an owner who is marked where single sign-on is required; the caller gives all of it up.
    pub(crate) async fn after_removal(&self, tx: &mut AuthTx, user: UserId) -> Result<(), AppError> {
        pending_sign_in::forget(tx, user).await.map_err(fault)?;
        if !has_second_factor(tx, user).await? {
            let seats = workspace::list_seats(tx, user).await.map_err(fault)?;
            if let Some(seat) = seats.iter().find(|seat| seat.sso == SsoRule::BreakGlass) {
                return Err(AppError::new(
                    ErrorCode::Conflict,
                    format!(
                        "You may come in past single sign-on in {}, which needs a second factor. Add another one first, or have \
                         an owner take the mark away.",
                        seat.card.name
                    ),
                ));
            }
            connection::forget_break_glass(tx, user).await.map_err(fault)?;
            store::remove_codes(tx, user).await.map_err(fault)?;
            session::forget_second_factor(tx, user).await.map_err(fault)?;
        }
        Ok(())
    }

    pub(crate) async fn replace_codes(&self, tx: &mut AuthTx, user: UserId) -> Result<Vec<String>, AppError> {
        let made = codes::make()?;
        let plain = made.iter().filter_map(|code| codes::read(code)).collect();
        let hashes = self.hash_codes(user, plain).await?;
        store::replace_codes(tx, user, &hashes).await.map_err(fault)?;
        Ok(made)
    }

    /// Writes the act into the log of each of the person's workspaces, then commits it: nothing changes that is not written
    /// down.
    async fn finish(&self, mut tx: AuthTx, visitor: &Visitor, act: Act, client: &Client) -> Result<(), AppError> {
        let member = visitor.member().ok_or_else(AppError::unauthenticated)?;
        let user = &member.session.user;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        self.record_everywhere(&seats, &log::person(user), act, Object::default(), Outcome::Done, client).await?;
        tx.commit().await.map_err(fault)
    }
}

fn not_begun() -> AppError {
    AppError::new(ErrorCode::Conflict, "No new second factor waits for its first code. Begin again.")
}

fn none() -> AppError {
    AppError::new(ErrorCode::NotFound, "You have no second factor.")
}
