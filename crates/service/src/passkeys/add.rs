//! Adding a passkey and removing it: in one's own name, by somebody who has just shown that it is them. Either is told by
//! letter.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::PasskeyId;
use clarity_store::AuthTx;
use clarity_store::audit::Object;
use clarity_store::auth::passkey::{self as store, NewPasskey};
use clarity_store::auth::passkey_ceremony::Kind;
use clarity_store::auth::{pending_sign_in, second_factor, session, user, workspace};
use uuid::Uuid;
use webauthn_rs::prelude::{PasskeyRegistration, RegisterPublicKeyCredential};

use super::{MOST, read};
use crate::Services;
use crate::audit as log;
use crate::error::{broken, fault};
use crate::mail::Letter;
use crate::second_factor::{has_second_factor, recent};
use crate::sign_up::checked_name;
use crate::visitor::{Client, Visitor};

/// Characters of a passkey's name.
const NAME: usize = 60;

impl Services {
    /// What the browser is asked to make a passkey for the visitor, as JSON.
    ///
    /// # Errors
    /// `Unauthenticated`; `ConfirmNeeded`; `LimitExceeded` with twenty; `Conflict` where there can be none.
    pub async fn begin_passkey(&self, visitor: &Visitor) -> Result<String, AppError> {
        let member = visitor.whole()?;
        recent(&member.proof)?;
        let user = &member.session.user;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let there = store::list(&mut tx, user.id).await.map_err(fault)?;
        if there.len() >= MOST {
            return Err(too_many());
        }
        let (options, state) = self.passkeys.ask_for_new(user, &there)?;
        self.keep_question(&mut tx, &member.token, Kind::Register, Some(user.id), &state).await?;
        tx.commit().await.map_err(fault)?;
        Ok(options)
    }

    /// The browser's answer: from now on the person has this passkey. Whoever had no second factor before has one now, which
    /// ends their other sessions; whoever has no recovery codes gets them, in the answer and nowhere else.
    ///
    /// # Errors
    /// `Unauthenticated`; `Invalid` at the field `name` or `credential`; `Conflict` when nothing was asked, or the passkey is
    /// known already; `LimitExceeded`; `RateLimited`.
    pub async fn add_passkey(
        &self,
        visitor: &Visitor,
        name: &str,
        credential: &str,
        client: &Client,
    ) -> Result<Option<Vec<String>>, AppError> {
        self.throttle.take(&client.address)?;
        let member = visitor.whole()?;
        let user = &member.session.user;
        let name = parse_name(name)?;
        let answer: RegisterPublicKeyCredential = read(credential)?;
        let state: PasskeyRegistration = self.take_question(&member.token, Kind::Register, Some(user.id)).await?;
        let made = self.passkeys.get()?.finish_passkey_registration(&answer, &state);
        let made = made.map_err(|_| {
            AppError::invalid("credential", "The passkey that the browser made could not be taken. Try again.")
        })?;
        let kept = serde_json::to_value(&made).map_err(broken)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        user::lock(&mut tx, user.id).await.map_err(fault)?;
        if store::list(&mut tx, user.id).await.map_err(fault)?.len() >= MOST {
            return Err(too_many());
        }
        let had_one = has_second_factor(&mut tx, user.id).await?;
        let id = PasskeyId(Uuid::now_v7());
        let new = NewPasskey { id, user: user.id, credential_id: made.cred_id(), credential: &kept, name: &name };
        if !store::insert(&mut tx, &new).await.map_err(fault)? {
            let message = "This passkey is known already. Let your device make a new one.";
            return Err(AppError::new(ErrorCode::Conflict, message));
        }
        let codes = if second_factor::count_codes(&mut tx, user.id).await.map_err(fault)? == 0 {
            Some(self.replace_codes(&mut tx, user.id).await?)
        } else {
            None
        };
        session::confirm(&mut tx, &member.token, true).await.map_err(fault)?;
        if !had_one {
            session::revoke_others(&mut tx, user.id, &member.token).await.map_err(fault)?;
            pending_sign_in::forget(&mut tx, user.id).await.map_err(fault)?;
        }
        let reset = format!("{}/reset", self.settings.public_url);
        self.post(&mut tx, &user.email, &Letter::PasskeyAdded { name: &name, reset: &reset }).await?;
        self.finish_passkey(tx, visitor, Act::AddPasskey, (id, name.as_str()), client).await?;
        Ok(codes)
    }

    /// Takes one of the person's passkeys away; with their last second factor go the recovery codes.
    ///
    /// # Errors
    /// `Unauthenticated`; `ConfirmNeeded`; `NotFound`, also of somebody else's; `Conflict` for the last second factor of an owner
    /// who may come in past single sign-on.
    pub async fn remove_passkey(&self, visitor: &Visitor, id: PasskeyId, client: &Client) -> Result<(), AppError> {
        let member = visitor.whole()?;
        recent(&member.proof)?;
        let user = &member.session.user;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        user::lock(&mut tx, user.id).await.map_err(fault)?;
        let name = store::remove(&mut tx, user.id, id).await.map_err(fault)?;
        let name = name.ok_or_else(|| AppError::not_found("passkey"))?;
        self.after_removal(&mut tx, user.id).await?;
        let reset = format!("{}/reset", self.settings.public_url);
        self.post(&mut tx, &user.email, &Letter::PasskeyRemoved { name: &name, reset: &reset }).await?;
        self.finish_passkey(tx, visitor, Act::RemovePasskey, (id, name.as_str()), client).await
    }

    /// Writes the act into the log of each of the person's workspaces, then commits it.
    async fn finish_passkey(
        &self,
        mut tx: AuthTx,
        visitor: &Visitor,
        act: Act,
        (id, name): (PasskeyId, &str),
        client: &Client,
    ) -> Result<(), AppError> {
        let member = visitor.whole()?;
        let user = &member.session.user;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        let id = id.to_string();
        let object = Object { kind: "passkey", id: &id, name };
        self.record_everywhere(&seats, &log::person(user), act, object, Outcome::Done, client).await?;
        tx.commit().await.map_err(fault)
    }
}

/// What a person calls their passkey.
pub(super) fn parse_name(text: &str) -> Result<String, AppError> {
    let fits = checked_name("name", "the passkey", text).ok().filter(|name| name.chars().count() <= NAME);
    fits.ok_or_else(|| {
        let message = format!("Name the passkey, in up to {NAME} characters: the device that holds it, for example.");
        AppError::invalid("name", message)
    })
}

fn too_many() -> AppError {
    AppError::new(
        ErrorCode::LimitExceeded,
        format!("You have {MOST} passkeys, and more are not kept. Remove one first."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_of_sixty_characters() {
        assert_eq!(parse_name("  iPhone of Maja ").unwrap(), "iPhone of Maja");
        assert!(parse_name(&"é".repeat(60)).is_ok());
        for wrong in ["", "   ", "a\nb", "a\u{0}b", &"a".repeat(61)] {
            assert_eq!(parse_name(wrong).unwrap_err().field.as_deref(), Some("name"), "{wrong:?}");
        }
    }
}
