//! Showing again that it is you, by a passkey: the device and what unlocks it are two factors, so no password beside it.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_store::audit::Object;
use clarity_store::auth::passkey as store;
use clarity_store::auth::passkey_ceremony::Kind;
use clarity_store::auth::{session, user, workspace};

use super::read;
use crate::Services;
use crate::audit as log;
use crate::error::fault;
use crate::visitor::{Client, Visitor};

impl Services {
    /// What the visitor's browser is asked to show, as JSON.
    ///
    /// # Errors
    /// `Unauthenticated`; `NotFound` when they have no passkey; `Conflict` where there can be none.
    pub async fn begin_passkey_confirm(&self, visitor: &Visitor) -> Result<String, AppError> {
        let member = visitor.whole()?;
        let user = &member.session.user;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let these = store::list(&mut tx, user.id).await.map_err(fault)?;
        if these.is_empty() {
            return Err(AppError::new(ErrorCode::NotFound, "You have no passkey. Confirm with your password."));
        }
        let (options, state) = self.passkeys.ask_for_one_of(&these)?;
        self.keep_question(&mut tx, &member.token, Kind::Confirm, Some(user.id), &state).await?;
        tx.commit().await.map_err(fault)?;
        Ok(options)
    }

    /// The browser's answer: good for a quarter of an hour, like a password and a code.
    ///
    /// # Errors
    /// `Unauthenticated`; `Invalid` at the field `credential`; `Conflict` when nothing was asked; `RateLimited`.
    pub async fn confirm_by_passkey(
        &self,
        visitor: &Visitor,
        credential: &str,
        client: &Client,
    ) -> Result<(), AppError> {
        self.throttle.take(&client.address)?;
        let member = visitor.whole()?;
        let user = &member.session.user;
        let answer = read(credential)?;
        self.note_attempt(&user.email).await?.ok_or_else(AppError::unauthenticated)?;
        let state = self.take_question(&member.token, Kind::Confirm, Some(user.id)).await?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        user::lock(&mut tx, user.id).await.map_err(fault)?;
        let passkey = match self.check_answer(&mut tx, user.id, state, &answer).await? {
            Ok(passkey) => passkey,
            Err(wrong) => {
                drop(tx);
                return Err(self.refuse_answer(wrong, user.clone(), Act::Confirm, client).await);
            }
        };
        user::note_sign_in(&mut tx, user.id).await.map_err(fault)?;
        session::confirm(&mut tx, &member.token, true).await.map_err(fault)?;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        let by = log::person(user);
        let id = passkey.id.to_string();
        let object = Object { kind: "passkey", id: &id, name: &passkey.name };
        self.record_everywhere(&seats, &by, Act::UsePasskey, object, Outcome::Done, client).await?;
        self.record_everywhere(&seats, &by, Act::Confirm, Object::default(), Outcome::Done, client).await?;
        tx.commit().await.map_err(fault)
    }
}
