//! A second factor: a code of an app beside the password, and recovery codes for the day when the app is lost. A passkey is
//! one as well: see [`crate::passkeys`].
//!
//! Whoever has one is in only after a code, also with a new password from a letter. A code is taken in the transaction of what
//! it is for, so that it works once; a wrong one counts like a wrong password. Secrets are sealed, recovery codes hashed, both
//! under the installation's key.

mod codes;
mod enrol;
mod lost;
mod picture;
mod sign_in;
mod step_up;
mod totp;

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::AppError;
use clarity_domain::ids::UserId;
use clarity_domain::time::{MINUTE, Micros};
use clarity_domain::view::second_factor::{Enrolment, Passkeys, SecondFactor, SecondFactorPage};
use clarity_domain::view::session::UserCard;
use clarity_runtime::clock::now_us;
use clarity_store::AuthTx;
use clarity_store::audit::Object;
use clarity_store::auth::passkey;
use clarity_store::auth::second_factor::{self as store, TotpRow};
use clarity_store::auth::workspace::SeatRow;
use data_encoding::BASE32_NOPAD;

use crate::Services;
use crate::audit as log;
use crate::error::fault;
use crate::frame::small;
use crate::mail::Letter;
use crate::visitor::{Client, Visitor};

pub(crate) use sign_in::over;
pub use sign_in::{FirstStep, PendingSignIn};
pub use step_up::ConfirmSession;
pub(crate) use step_up::{is_confirmed, just_now, recent};

/// As apps show it over the code.
const ISSUER: &str = "Clarity Stream";
/// So long a secret waits for its first code.
const ENROLMENT_LIFE: Micros = 30 * MINUTE;

/// What was shown beside the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    App,
    RecoveryCode { left: u32 },
}

/// What was typed for a code, read before the transaction that it is taken in.
pub(crate) enum Typed {
    App(u32),
    /// What stands for a recovery code in the database, whether the person has it or not.
    Recovery(store::CodeHash),
    Neither,
}

impl Services {
    /// How it stands with the visitor's second factor.
    ///
    /// # Errors
    /// `Unauthenticated`.
    pub async fn second_factor(&self, visitor: &Visitor) -> Result<SecondFactorPage, AppError> {
        let member = visitor.member().ok_or_else(AppError::unauthenticated)?;
        let by_sso = member.by_sso_of.and_then(|_| member.seats.first()).map(|seat| seat.card.slug.clone());
        if member.by_sso_of.is_some() {
            // Whom a workspace's provider vouches for learns nothing of what opens the whole account, least of all a secret that
            // waits for its first code.
            let passkeys = Passkeys { possible: false, list: Vec::new(), codes_left: 0 };
            let state = SecondFactor::Off;
            return Ok(SecondFactorPage { state, passkeys, required_by: Vec::new(), new_codes: None, by_sso });
        }
        let user = &member.session.user;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let row = store::find(&mut tx, user.id).await.map_err(fault)?;
        let passkeys = self.passkeys_of(&mut tx, user.id).await?;
        let codes_left = passkeys.codes_left;
        tx.commit().await.map_err(fault)?;
        let state = match row {
            Some(TotpRow { confirmed_at: Some(since), .. }) => SecondFactor::On { since, codes_left },
            Some(row) if is_open(&row) => {
                SecondFactor::Enrolling(enrolment(user, &self.settings.secrets.open(user.id, &row.secret_box)?)?)
            }
            _ => SecondFactor::Off,
        };
        let asking = member.seats.iter().filter(|seat| seat.second_factor_required);
        let required_by = asking.map(|seat| seat.card.name.clone()).collect();
        Ok(SecondFactorPage { state, passkeys, required_by, new_codes: None, by_sso })
    }

    /// Tells of a recovery code that was used: the person by a letter, and the log of each of their workspaces. In the
    /// transaction of what it was used for.
    pub(crate) async fn note_shown(
        &self,
        tx: &mut AuthTx,
        user: &UserCard,
        seats: &[SeatRow],
        shown: Shown,
        client: &Client,
    ) -> Result<(), AppError> {
        let Shown::RecoveryCode { left } = shown else { return Ok(()) };
        let page = format!("{}/second-factor", self.settings.public_url);
        self.post(tx, &user.email, &Letter::RecoveryCodeUsed { left, page: &page }).await?;
        let by = log::person(user);
        self.record_everywhere(seats, &by, Act::UseRecoveryCode, Object::default(), Outcome::Done, client).await
    }

    /// What somebody typed who says to be this person. A recovery code is as slow to hash as a password: nobody holds a
    /// transaction meanwhile.
    pub(crate) async fn read_code(&self, user: UserId, typed: &str) -> Result<Typed, AppError> {
        if let Some(code) = totp::read_code(typed) {
            return Ok(Typed::App(code));
        }
        let Some(code) = codes::read(typed) else { return Ok(Typed::Neither) };
        let hashes = self.hash_codes(user, vec![code]).await?;
        Ok(hashes.into_iter().next().map_or(Typed::Neither, Typed::Recovery))
    }

    /// Of recovery codes what the database keeps: hashed like passwords, and then with the installation's key.
    async fn hash_codes(&self, user: UserId, codes: Vec<String>) -> Result<Vec<store::CodeHash>, AppError> {
        let slow = self.passwords.stretch(user, codes).await?;
        Ok(slow.iter().map(|hash| self.settings.secrets.hash(user, hash)).collect())
    }

    /// Takes a code of the person's app, or one of their recovery codes. `None` when it is neither, or was used before.
    pub(crate) async fn take_code(
        &self,
        tx: &mut AuthTx,
        user: UserId,
        typed: &Typed,
    ) -> Result<Option<Shown>, AppError> {
        let code = match typed {
            Typed::App(code) => *code,
            Typed::Recovery(hash) => {
                if !store::use_code(tx, user, hash).await.map_err(fault)? {
                    return Ok(None);
                }
                let left = small(store::count_codes(tx, user).await.map_err(fault)?);
                return Ok(Some(Shown::RecoveryCode { left }));
            }
            Typed::Neither => return Ok(None),
        };
        let Some(row) = store::find(tx, user).await.map_err(fault)? else { return Ok(None) };
        let secret = self.settings.secrets.open(user, &row.secret_box)?;
        let Some(step) = totp::find_step(&secret, code, now_us()) else { return Ok(None) };
        let taken = store::take_step(tx, user, step).await.map_err(fault)?;
        Ok(taken.then_some(Shown::App))
    }
}

/// Whether this person is asked for more than their password.
pub(crate) async fn has_second_factor(tx: &mut AuthTx, user: UserId) -> Result<bool, AppError> {
    Ok(has_app(tx, user).await? || passkey::any(tx, user).await.map_err(fault)?)
}

/// Whether an app of this person makes codes.
pub(crate) async fn has_app(tx: &mut AuthTx, user: UserId) -> Result<bool, AppError> {
    let row = store::find(tx, user).await.map_err(fault)?;
    Ok(row.is_some_and(|row| row.confirmed_at.is_some()))
}

/// Whether a first code of this secret is still waited for.
fn is_open(row: &TotpRow) -> bool {
    row.confirmed_at.is_none() && now_us().saturating_sub(row.begun_at) < ENROLMENT_LIFE
}

fn enrolment(user: &UserCard, secret: &[u8]) -> Result<Enrolment, AppError> {
    enrolment_for(ISSUER, &user.email, secret)
}

/// As [`enrolment`], under another issuer: our own people's app shows apart which door a code is for.
pub(crate) fn enrolment_for(issuer: &str, email: &str, secret: &[u8]) -> Result<Enrolment, AppError> {
    let base32 = BASE32_NOPAD.encode(secret);
    let url = totp::address(issuer, email, &base32);
    let groups: Vec<&str> = base32.as_bytes().chunks(4).filter_map(|four| std::str::from_utf8(four).ok()).collect();
    Ok(Enrolment { secret: groups.join(" "), picture: picture::draw(&url)?, url })
}

/// The step whose code of this secret was typed, around now.
pub(crate) fn step_of(secret: &[u8], typed: &str) -> Option<i64> {
    totp::read_code(typed).and_then(|code| totp::find_step(secret, code, now_us()))
}

fn wrong_code() -> AppError {
    AppError::invalid("code", "This code is not right, or was used already. Wait for the app's next one and try that.")
}
