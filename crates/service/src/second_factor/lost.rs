//! The last way in for somebody who has lost app, passkeys and recovery codes: an operator of the platform, who has made sure who
//! asks (`docs/security/operations.md` says how), takes all of it away by a command. The password stays, and is needed as ever.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::names::parse_email;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::second_factor as store;
use clarity_store::auth::sso::connection;
use clarity_store::auth::{passkey, pending_sign_in, session, user, workspace};
use clarity_store::{AuthTx, StoreError};
use serde_json::json;

use crate::Services;
use crate::audit as log;
use crate::error::fault;
use crate::mail::{self, Letter};
use crate::visitor::Client;

/// As the entries of it are called.
const COMMAND: &str = "reset-second-factor";
/// Of the reason.
const LONGEST: usize = 300;

/// What the person had.
struct Had {
    app: bool,
    passkeys: usize,
    codes: i64,
}

impl Services {
    /// By an operator's command: takes everything away that is asked for beside this person's password, ends their sessions, tells
    /// them by letter, and the log of each of their workspaces with the reason.
    ///
    /// # Errors
    /// `Invalid` for an address that is none, or without a reason; `NotFound` when nobody has the address, or nothing but a
    /// password.
    pub async fn reset_second_factor(&self, email: &str, because: &str, public_url: &str) -> Result<(), AppError> {
        let email = parse_email(email)?;
        let because = because.trim();
        if because.is_empty() || because.chars().count() > LONGEST {
            let words = format!("Say why, and how you made sure who asks, in at most {LONGEST} characters.");
            return Err(AppError::invalid("because", words));
        }
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let found = user::lock_by_email(&mut tx, &email).await.map_err(fault)?;
        let person = found.ok_or_else(|| not_found(format!("Nobody has an account with the address {email}.")))?.user;
        let had = take_away(&mut tx, person.id).await.map_err(fault)?;
        if !had.app && had.passkeys == 0 {
            return Err(not_found(format!("{email} has no second factor. Nothing was changed.")));
        }
        let reset = format!("{}/reset", public_url.trim_end_matches('/'));
        // As the workers do it: a server sends it, whose settings a command does not know.
        mail::write(&mut tx, &person.email, &Letter::SecondFactorReset { reset: &reset }, false)
            .await
            .map_err(fault)?;
        let seats = workspace::list_seats(&mut tx, person.id).await.map_err(fault)?;
        let (by, client) = (log::support(COMMAND), Client::local());
        let (id, name) = (person.id.to_string(), log::shown(&person));
        let entry = Entry {
            actor: &by,
            act: Act::ResetSecondFactor,
            object: Object { kind: "member", id: &id, name: &name },
            before: Some(json!({ "app": had.app, "passkeys": had.passkeys, "recovery_codes": had.codes })),
            after: Some(json!({ "because": because })),
            outcome: Outcome::Done,
            address: &client.address,
            request_id: client.request_id,
        };
        self.record_in_each(&seats, &entry).await?;
        // Last: nothing is taken away that is not written down.
        tx.commit().await.map_err(fault)?;
        tracing::warn!(user = %person.id, "a second factor was reset by an operator");
        Ok(())
    }
}

/// App, passkeys, codes, sessions, sign-ins that wait, and the marks of an owner who may come in past single sign-on, which need a
/// second factor.
async fn take_away(tx: &mut AuthTx, user: UserId) -> Result<Had, StoreError> {
    let codes = store::count_codes(tx, user).await?;
    let app = store::remove(tx, user).await?;
    let passkeys = passkey::list(tx, user).await?;
    for one in &passkeys {
        passkey::remove(tx, user, one.id).await?;
    }
    store::remove_codes(tx, user).await?;
    connection::forget_break_glass(tx, user).await?;
    pending_sign_in::forget(tx, user).await?;
    session::revoke_all(tx, user).await?;
    Ok(Had { app, passkeys: passkeys.len(), codes })
}

fn not_found(words: String) -> AppError {
    AppError::new(ErrorCode::NotFound, words)
}
