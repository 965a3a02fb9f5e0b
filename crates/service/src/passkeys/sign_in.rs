//! Signing in by a passkey: after the password in place of a code, or in place of the password as well.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::time::SECOND;
use clarity_domain::view::session::UserCard;
use clarity_store::AuthTx;
use clarity_store::audit::Object;
use clarity_store::auth::passkey::{self as store, PasskeyRow};
use clarity_store::auth::passkey_ceremony::Kind;
use clarity_store::auth::{pending_sign_in, user};
use webauthn_rs::prelude::PublicKeyCredential;

use super::answer::not_right;
use super::{LIFE, not_asked, read};
use crate::Services;
use crate::account::{SignedIn, start_session};
use crate::audit as log;
use crate::error::fault;
use crate::second_factor::{PendingSignIn, over};
use crate::visitor::{Client, new_token, token_hash};

impl Services {
    /// What the browser of a sign-in that waits for its second step is asked to show, as JSON.
    ///
    /// # Errors
    /// `NotFound` when the sign-in is over, or its person has no passkey; `Conflict` where there can be none; `RateLimited`.
    pub async fn begin_second_step(&self, pending: &str, client: &Client) -> Result<String, AppError> {
        self.throttle.take(&client.address)?;
        let hash = token_hash(pending).ok_or_else(over)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let user = pending_sign_in::find(&mut tx, &hash).await.map_err(fault)?.ok_or_else(over)?;
        let these = store::list(&mut tx, user).await.map_err(fault)?;
        if these.is_empty() {
            return Err(AppError::new(ErrorCode::NotFound, "Your account has no passkey. Use a code."));
        }
        let (options, state) = self.passkeys.ask_for_one_of(&these)?;
        self.keep_question(&mut tx, &hash, Kind::SecondStep, Some(user), &state).await?;
        tx.commit().await.map_err(fault)?;
        Ok(options)
    }

    /// The passkey after the password. Counted like a code.
    ///
    /// # Errors
    /// `NotFound` when the sign-in is over; `Invalid` at the field `credential`; `Conflict` when nothing was asked;
    /// `RateLimited`.
    pub async fn finish_second_step(
        &self,
        pending: &str,
        credential: &str,
        client: &Client,
    ) -> Result<SignedIn, AppError> {
        self.throttle.take(&client.address)?;
        let answer = read(credential)?;
        let hash = token_hash(pending).ok_or_else(over)?;
        let (known, left) = self.note_code_attempt(&hash).await?;
        let user = known.user;
        let state = self.take_question(&hash, Kind::SecondStep, Some(user.id)).await?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        user::lock(&mut tx, user.id).await.map_err(fault)?;
        let passkey = match self.check_answer(&mut tx, user.id, state, &answer).await? {
            Ok(passkey) => passkey,
            Err(wrong) => {
                drop(tx);
                let error = self.refuse_answer(wrong, user, Act::SignIn, client).await;
                return Err(if left > 0 { error } else { over() });
            }
        };
        if !pending_sign_in::consume(&mut tx, &hash, user.id).await.map_err(fault)? {
            return Err(over());
        }
        self.enter_by(tx, user, &passkey, client).await
    }

    /// What a browser is asked to show of whoever sits before it, as JSON; and the token of its cookie, to answer with.
    ///
    /// # Errors
    /// `Conflict` where there can be no passkeys; `RateLimited`.
    pub async fn begin_passkey_sign_in(&self, client: &Client) -> Result<(PendingSignIn, String), AppError> {
        self.throttle.take(&client.address)?;
        let (options, state) = self.passkeys.ask_for_one_of(&[])?;
        let (token, hash) = new_token()?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        self.keep_question(&mut tx, &hash, Kind::SignIn, None, &state).await?;
        tx.commit().await.map_err(fault)?;
        Ok((PendingSignIn { token, max_age_s: LIFE / SECOND }, options))
    }

    /// A passkey and nothing else: it says whose it is. Nothing can be guessed here, so nothing is counted on the account.
    ///
    /// # Errors
    /// `Invalid` at the field `credential`, whatever is wrong with it; `Conflict` when nothing was asked; `RateLimited`.
    pub async fn sign_in_by_passkey(
        &self,
        token: &str,
        credential: &str,
        client: &Client,
    ) -> Result<SignedIn, AppError> {
        self.throttle.take(&client.address)?;
        let answer: PublicKeyCredential = read(credential)?;
        let hash = token_hash(token).ok_or_else(not_asked)?;
        let state = self.take_question(&hash, Kind::SignIn, None).await?;
        // The device has to say whose it is, and it has to be so.
        if answer.get_user_unique_id().is_none() {
            return Err(not_right());
        }
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let owner = store::find_owner(&mut tx, answer.get_credential_id()).await.map_err(fault)?;
        let owner = owner.ok_or_else(not_right)?;
        let known = user::lock(&mut tx, owner).await.map_err(fault)?;
        let known = known.filter(|known| !known.disabled).ok_or_else(not_right)?;
        let user = known.user;
        let passkey = match self.check_answer(&mut tx, user.id, state, &answer).await? {
            Ok(passkey) => passkey,
            Err(wrong) => {
                drop(tx);
                return Err(self.refuse_answer(wrong, user, Act::SignIn, client).await);
            }
        };
        self.enter_by(tx, user, &passkey, client).await
    }

    /// A new session, written down with what let the person in.
    async fn enter_by(
        &self,
        mut tx: AuthTx,
        user: UserCard,
        passkey: &PasskeyRow,
        client: &Client,
    ) -> Result<SignedIn, AppError> {
        user::note_sign_in(&mut tx, user.id).await.map_err(fault)?;
        let (signed_in, seats) = start_session(&mut tx, user, client, true).await?;
        let by = log::person(&signed_in.session.user);
        let id = passkey.id.to_string();
        let object = Object { kind: "passkey", id: &id, name: &passkey.name };
        self.record_everywhere(&seats, &by, Act::UsePasskey, object, Outcome::Done, client).await?;
        self.record_everywhere(&seats, &by, Act::SignIn, Object::default(), Outcome::Done, client).await?;
        self.note_break_glass(&mut tx, &signed_in.session.user, &seats, client).await?;
        // Last: nobody is in whose sign-in is not written down.
        tx.commit().await.map_err(fault)?;
        Ok(signed_in)
    }
}
