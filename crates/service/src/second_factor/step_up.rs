//! Step-up: the most dangerous acts need somebody who has shown within a quarter of an hour that it is them, so that a session
//! left open on a desk, or stolen, does not do them. What takes the account away with it needs it within two minutes.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::AppError;
use clarity_domain::role::Permission;
use clarity_domain::time::{MINUTE, Micros};
use clarity_runtime::clock::now_us;
use clarity_runtime::planted::planted;
use clarity_runtime::secret::Secret;
use clarity_store::audit::Object;
use clarity_store::auth::session::Proof;
use clarity_store::auth::{session, user, workspace};

use super::{has_second_factor, wrong_code};
use crate::audit as log;
use crate::error::fault;
use crate::visitor::{Client, Visitor};
use crate::{Seat, Services};

/// So long a sign-in, or a confirmation, is recent.
const RECENT: Micros = 15 * MINUTE;
/// And so long for what takes an account away with it.
const JUST_NOW: Micros = 2 * MINUTE;

/// The form. No `Debug`: it holds a password.
#[derive(Clone)]
pub struct ConfirmSession {
    pub password: String,
    /// Of those who have a second factor.
    pub code: Option<String>,
}

/// Lets those go on who have shown a moment ago that it is them.
pub(crate) fn recent(proof: &Proof) -> Result<(), AppError> {
    shown_within(RECENT, proof)
}

/// The same for what takes an account away with it: to have signed in within the last quarter of an hour is not enough.
pub(crate) fn just_now(proof: &Proof) -> Result<(), AppError> {
    shown_within(JUST_NOW, proof)
}

/// Whether an act that asks for it would be done now: pages say so before anything is typed into a form.
pub(crate) fn is_confirmed(seat: &Seat) -> bool {
    seat.proof.as_ref().is_none_or(|proof| recent(proof).is_ok())
}

fn shown_within(limit: Micros, proof: &Proof) -> Result<(), AppError> {
    let now = now_us();
    let is_fresh = proof.confirmed_at.is_some_and(|at| now.saturating_sub(at) < limit);
    if is_fresh { Ok(()) } else { Err(AppError::confirm_needed()) }
}

impl Services {
    /// Like [`Services::permit`], for what has to be done by somebody who has just shown that it is them. A command of the
    /// platform's operator has no session to confirm.
    pub(crate) async fn permit_recent(
        &self,
        seat: &Seat,
        permission: Permission,
        act: Act,
        object: Object<'_>,
    ) -> Result<(), AppError> {
        self.permit(seat, permission, act, object).await?;
        if planted("an-act-without-confirmation") {
            return Ok(());
        }
        seat.proof.as_ref().map_or(Ok(()), recent)
    }

    /// The visitor shows again that it is them: by password, and a code where they have a second factor.
    ///
    /// # Errors
    /// `Unauthenticated`; `Invalid` at the field `password` or `code`; `RateLimited`.
    pub async fn confirm_session(
        &self,
        visitor: &Visitor,
        form: ConfirmSession,
        client: &Client,
    ) -> Result<(), AppError> {
        self.throttle.take(&client.address)?;
        // Whoever came by single sign-on shows it there: see the attempt's `again`.
        let member = visitor.whole()?;
        let user = &member.session.user;
        let known = self.note_attempt(&user.email).await?.ok_or_else(AppError::unauthenticated)?;
        if !self.passwords.verify(&Secret::new(form.password), Some(known.password_hash)).await? {
            self.note_refused(user.clone(), Act::Confirm, client);
            return Err(AppError::invalid("password", "This is not your password. Try again."));
        }
        let typed = self.read_code(user.id, form.code.as_deref().unwrap_or_default()).await?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        user::lock(&mut tx, user.id).await.map_err(fault)?;
        let asked = has_second_factor(&mut tx, user.id).await?;
        let mut shown = None;
        if asked {
            shown = self.take_code(&mut tx, user.id, &typed).await?;
            if shown.is_none() {
                drop(tx);
                self.note_refused(user.clone(), Act::Confirm, client);
                return Err(wrong_code());
            }
        }
        user::note_sign_in(&mut tx, user.id).await.map_err(fault)?;
        session::confirm(&mut tx, &member.token, asked).await.map_err(fault)?;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        let by = log::person(user);
        if let Some(shown) = shown {
            self.note_shown(&mut tx, user, &seats, shown, client).await?;
        }
        self.record_everywhere(&seats, &by, Act::Confirm, Object::default(), Outcome::Done, client).await?;
        tx.commit().await.map_err(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::error::ErrorCode;

    #[test]
    fn a_confirmation_is_good_for_a_quarter_of_an_hour() {
        let ago = |minutes: i64| Proof { confirmed_at: Some(now_us() - minutes * MINUTE), second_factor: false };
        assert!(recent(&ago(0)).is_ok() && recent(&ago(14)).is_ok());
        for old in [ago(15), ago(600), Proof { confirmed_at: None, second_factor: true }] {
            assert_eq!(recent(&old).unwrap_err().code, ErrorCode::ConfirmNeeded);
        }
        assert!(just_now(&ago(1)).is_ok());
        assert_eq!(just_now(&ago(2)).unwrap_err().code, ErrorCode::ConfirmNeeded);
    }
}
