//! The second step of a sign-in, for those who have a second factor: the password was right, a code is waited for.
//!
//! The step has five minutes and five codes. Its secret is in a cookie and lets nobody in. The password's success does not set
//! the count of mistakes back, only the whole sign-in does: whoever knows the password guesses codes as slowly as others guess
//! passwords.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::time::{MINUTE, Micros, SECOND};
use clarity_runtime::clock::now_us;
use clarity_store::AuthTx;
use clarity_store::audit::Object;
use clarity_store::auth::session::TokenHash;
use clarity_store::auth::user::Credentials;
use clarity_store::auth::{pending_sign_in as store, user};

use super::{has_second_factor, wrong_code};
use crate::account::{SignedIn, start_session};
use crate::audit as log;
use crate::error::fault;
use crate::visitor::{Client, new_token, token_hash};
use crate::{Services, throttle};

const LIFE: Micros = 5 * MINUTE;

/// What the right password leads to. No `Debug`: both hold secrets of a cookie.
#[derive(Clone)]
pub enum FirstStep {
    SignedIn(SignedIn),
    /// The person has a second factor.
    CodeNeeded(PendingSignIn),
}

/// A sign-in that waits for its code. The token is for a cookie and is kept nowhere else.
#[derive(Clone)]
pub struct PendingSignIn {
    pub token: String,
    pub max_age_s: i64,
}

impl Services {
    /// The pending sign-in of somebody whose password was right, when they have a second factor.
    pub(crate) async fn wait_for_code(&self, tx: &mut AuthTx, user: UserId) -> Result<Option<PendingSignIn>, AppError> {
        if !has_second_factor(tx, user).await? {
            return Ok(None);
        }
        let (token, hash) = new_token()?;
        user::take_back_attempt(tx, user).await.map_err(fault)?;
        store::insert(tx, &hash, user, now_us() + LIFE).await.map_err(fault)?;
        Ok(Some(PendingSignIn { token, max_age_s: LIFE / SECOND }))
    }

    /// The code after the password: of the app, or a recovery code.
    ///
    /// # Errors
    /// `NotFound` when the sign-in is over: five minutes, or five codes; `Invalid` at the field `code`; `RateLimited`.
    pub async fn finish_sign_in(&self, token: &str, code: &str, client: &Client) -> Result<SignedIn, AppError> {
        self.throttle.take(&client.address)?;
        let hash = token_hash(token).ok_or_else(over)?;
        let (known, left) = self.note_code_attempt(&hash).await?;
        let user = known.user;
        let typed = self.read_code(user.id, code).await?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        user::lock(&mut tx, user.id).await.map_err(fault)?;
        let Some(shown) = self.take_code(&mut tx, user.id, &typed).await? else {
            drop(tx);
            self.note_refused(user, Act::SignIn, client);
            return Err(if left > 0 { wrong_code() } else { over() });
        };
        if !store::consume(&mut tx, &hash, user.id).await.map_err(fault)? {
            return Err(over());
        }
        user::note_sign_in(&mut tx, user.id).await.map_err(fault)?;
        let (signed_in, seats) = start_session(&mut tx, user, client, true).await?;
        let by = log::person(&signed_in.session.user);
        self.note_shown(&mut tx, &signed_in.session.user, &seats, shown, client).await?;
        self.record_everywhere(&seats, &by, Act::SignIn, Object::default(), Outcome::Done, client).await?;
        self.note_break_glass(&mut tx, &signed_in.session.user, &seats, client).await?;
        // Last: nobody is in whose sign-in is not written down.
        tx.commit().await.map_err(fault)?;
        Ok(signed_in)
    }

    /// Counts a code before it is looked at, on the account and on this sign-in, so that a hundred at once count as a
    /// hundred; and how many this sign-in has left.
    pub(crate) async fn note_code_attempt(&self, hash: &TokenHash) -> Result<(Credentials, i32), AppError> {
        let now = now_us();
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let user = store::find(&mut tx, hash).await.map_err(fault)?.ok_or_else(over)?;
        let known = user::lock(&mut tx, user).await.map_err(fault)?;
        let known = known.filter(|known| !known.disabled).ok_or_else(over)?;
        if let Some(until) = known.blocked_until.filter(|until| *until > now) {
            return Err(throttle::wait(until, now));
        }
        let left = store::note_attempt(&mut tx, hash).await.map_err(fault)?.ok_or_else(over)?;
        let until = throttle::blocked_until(known.failed_sign_ins.saturating_add(1), now);
        user::note_failed_sign_in(&mut tx, user, until).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok((known, left))
    }
}

/// Whatever ended it, the answer is the same.
pub(crate) fn over() -> AppError {
    AppError::new(
        ErrorCode::NotFound,
        "This sign-in is over: five minutes have passed, or too many codes were wrong. Sign in again.",
    )
}
