//! Passkeys: a key that a person's device holds, and uses only once it has seen a finger, a face or a PIN.
//!
//! One is a second factor beside the password, and enough by itself: having the device and unlocking it are two. What is
//! asked of a device stands in the database, bound to the session or the sign-in that asked, for five minutes; whoever
//! answers takes it away, whatever the answer was, so that none counts twice.

mod add;
mod answer;
mod confirm;
mod rename;
mod sign_in;
mod site;

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::time::{MINUTE, Micros};
use clarity_domain::view::second_factor::{PasskeyCard, Passkeys, SecondStep};
use clarity_runtime::clock::now_us;
use clarity_store::AuthTx;
use clarity_store::auth::passkey_ceremony::{self as ceremony, Kind};
use clarity_store::auth::session::TokenHash;
use clarity_store::auth::{passkey as store, pending_sign_in, second_factor};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Services;
use crate::error::{broken, fault};
use crate::frame::small;
use crate::second_factor::has_app;
use crate::visitor::token_hash;

pub(crate) use site::PasskeySite;

/// So long a question waits for its answer.
const LIFE: Micros = 5 * MINUTE;
/// Passkeys of one person.
const MOST: usize = 20;

impl Services {
    /// The person's passkeys, and what of recovery codes goes with them.
    pub(crate) async fn passkeys_of(&self, tx: &mut AuthTx, user: UserId) -> Result<Passkeys, AppError> {
        let rows = store::list(tx, user).await.map_err(fault)?;
        let codes_left = small(second_factor::count_codes(tx, user).await.map_err(fault)?);
        let card = |row: store::PasskeyRow| PasskeyCard {
            id: row.id,
            name: row.name,
            added_at: row.created_at,
            used_at: row.last_used_at,
        };
        let list = rows.into_iter().map(card).collect();
        Ok(Passkeys { possible: self.passkeys.is_possible(), list, codes_left })
    }

    /// What the sign-in that waits in this browser may be finished with. Without one: as most are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn second_step(&self, pending: Option<&str>) -> Result<SecondStep, AppError> {
        let usual = SecondStep { app: true, passkey: false };
        let Some(hash) = pending.and_then(token_hash) else { return Ok(usual) };
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let Some(user) = pending_sign_in::find(&mut tx, &hash).await.map_err(fault)? else { return Ok(usual) };
        let app = has_app(&mut tx, user).await?;
        let passkey = self.passkeys.is_possible() && store::any(&mut tx, user).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(SecondStep { app, passkey })
    }

    /// Keeps what was asked, to check the answer with.
    async fn keep_question<S: Serialize>(
        &self,
        tx: &mut AuthTx,
        bound_to: &TokenHash,
        kind: Kind,
        user: Option<UserId>,
        state: &S,
    ) -> Result<(), AppError> {
        let state = serde_json::to_value(state).map_err(broken)?;
        ceremony::begin(tx, bound_to, kind, user, &state, now_us() + LIFE).await.map_err(fault)
    }

    /// Takes away what was asked: in a transaction of its own, so that a wrong answer uses it up like a right one.
    async fn take_question<S: DeserializeOwned>(
        &self,
        bound_to: &TokenHash,
        kind: Kind,
        user: Option<UserId>,
    ) -> Result<S, AppError> {
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let state = ceremony::take(&mut tx, bound_to, kind, user).await.map_err(fault)?.ok_or_else(not_asked)?;
        tx.commit().await.map_err(fault)?;
        serde_json::from_value(state).map_err(broken)
    }
}

/// A browser's answer, as its `toJSON` wrote it.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, AppError> {
    serde_json::from_str(text)
        .map_err(|_| AppError::invalid("credential", "The browser's answer could not be read. Try again."))
}

fn not_asked() -> AppError {
    AppError::new(ErrorCode::Conflict, "This took longer than five minutes, or was answered before. Try again.")
}
