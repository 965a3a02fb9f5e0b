//! Whether a device's answer is right: of a passkey of that person, to the question that was asked, unlocked, on our own
//! host, and with a counter that went on. One that went back was copied: it is refused, and written down.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::AppError;
use clarity_domain::ids::UserId;
use clarity_domain::view::session::UserCard;
use clarity_store::AuthTx;
use clarity_store::audit::Object;
use clarity_store::auth::passkey::{self as store, PasskeyRow};
use clarity_store::auth::workspace;
use webauthn_rs::prelude::{DiscoverableAuthentication, Passkey, PublicKeyCredential, WebauthnError};

use crate::Services;
use crate::audit as log;
use crate::error::{broken, fault};
use crate::visitor::Client;

/// Why an answer is none.
pub(super) enum Wrong {
    Answer,
    /// There may be two of this passkey.
    Copied(PasskeyRow),
}

impl Services {
    /// The passkey that answered, its counter moved on. `tx` holds the person's row.
    pub(super) async fn check_answer(
        &self,
        tx: &mut AuthTx,
        user: UserId,
        state: DiscoverableAuthentication,
        answer: &PublicKeyCredential,
    ) -> Result<Result<PasskeyRow, Wrong>, AppError> {
        if answer.get_user_unique_id().is_some_and(|handle| handle != user.0.as_bytes().as_slice()) {
            return Ok(Err(Wrong::Answer));
        }
        let Some(row) = store::find(tx, user, answer.get_credential_id()).await.map_err(fault)? else {
            return Ok(Err(Wrong::Answer));
        };
        let mut key: Passkey = serde_json::from_value(row.credential.clone()).map_err(broken)?;
        let checked = match self.passkeys.get()?.finish_discoverable_authentication_v2(answer, state, &key) {
            Ok(checked) => checked,
            Err(WebauthnError::CredentialPossibleCompromise) => return Ok(Err(Wrong::Copied(row))),
            Err(_) => return Ok(Err(Wrong::Answer)),
        };
        key.update_credential(&checked);
        let credential = serde_json::to_value(&key).map_err(broken)?;
        store::note_use(tx, user, row.id, &credential).await.map_err(fault)?;
        Ok(Ok(row))
    }

    /// Writes a wrong answer down, and says so.
    pub(super) async fn refuse_answer(&self, wrong: Wrong, user: UserCard, act: Act, client: &Client) -> AppError {
        let error = match wrong {
            Wrong::Answer => not_right(),
            Wrong::Copied(row) => match self.note_copy(&row, &user, client).await {
                Ok(()) => AppError::invalid(
                    "credential",
                    "This passkey may have been copied: its counter went back. It was refused. Remove it and add a new one.",
                ),
                Err(error) => error,
            },
        };
        self.note_refused(user, act, client);
        error
    }

    async fn note_copy(&self, row: &PasskeyRow, user: &UserCard, client: &Client) -> Result<(), AppError> {
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let seats = workspace::list_seats(&mut tx, user.id).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let id = row.id.to_string();
        let object = Object { kind: "passkey", id: &id, name: &row.name };
        self.record_everywhere(&seats, &log::person(user), Act::UsePasskey, object, Outcome::Refused, client).await
    }
}

/// The same for a passkey that is nobody's, somebody else's, or was removed.
pub(super) fn not_right() -> AppError {
    AppError::invalid(
        "credential",
        "This passkey is not known here, or its answer was not right. Try again, or another way.",
    )
}
