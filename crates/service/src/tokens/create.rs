//! Making service accounts and tokens. The text of a new token is in the answer; a hash of it is kept.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{ApiTokenId, ServiceAccountId};
use clarity_domain::role::{Permission, Role, may_lend};
use clarity_domain::scope::Scope;
use clarity_domain::time::DAY;
use clarity_domain::view::tokens::{LIVES, NewToken};
use clarity_runtime::clock::now_us;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::api_token::{self, NewApiToken};
use clarity_store::auth::service_account;
use clarity_store::{AuthTx, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{still, text, words};
use crate::audit::timestamp;
use crate::error::fault;
use crate::{Seat, Services};

/// Service accounts of a workspace.
const ACCOUNTS: i64 = 50;
/// Live tokens of an account: one in use, one that takes over, and some for what was forgotten.
const TOKENS: i64 = 10;
/// Characters of a name.
const LONGEST: usize = 80;

/// A service account with its first token.
#[derive(Clone, Debug)]
pub struct NewAccountToken {
    pub name: String,
    pub role: Role,
    pub scopes: Vec<Scope>,
    /// One of [`LIVES`].
    pub days: u32,
}

/// Another token of a service account.
#[derive(Clone, Debug)]
pub struct NewTokenForm {
    pub account: ServiceAccountId,
    pub name: String,
    pub scopes: Vec<Scope>,
    /// One of [`LIVES`].
    pub days: u32,
}

impl Services {
    /// Makes a service account and its first token, which has the account's name.
    ///
    /// # Errors
    /// `Forbidden`, also for a role that nobody lends; `ConfirmNeeded`; `Invalid` for a field; `LimitExceeded`.
    pub async fn create_service_account(&self, seat: &Seat, form: NewAccountToken) -> Result<NewToken, AppError> {
        let name = read_name(&form.name);
        let object = Object { kind: "service_account", id: "", name: &name };
        self.permit_recent(seat, Permission::ManageTokens, Act::CreateToken, object).await?;
        if name.is_empty() {
            return Err(AppError::invalid("name", "Name the program that will use the token."));
        }
        if !may_lend(seat.role(), form.role) {
            let message = "A service account is a viewer or an operator: programs do not manage a workspace.";
            return self.refuse(seat, Act::CreateToken, object, form.role, message).await;
        }
        let scopes = read_scopes(&form.scopes)?;
        let (mut tx, own) = self.locked(seat).await?;
        still(own.role)?;
        if service_account::count(&mut tx, &seat.scope).await.map_err(fault)? >= ACCOUNTS {
            return Err(AppError::new(
                ErrorCode::LimitExceeded,
                "This workspace has many service accounts. Remove one that is not used any more.",
            ));
        }
        let id = ServiceAccountId(Uuid::now_v7());
        let made = service_account::insert(&mut tx, &seat.scope, id, &name, form.role, seat.user_id).await;
        made.map_err(|error| match error {
            StoreError::Conflict(_) => AppError::invalid("name", format!("There is a service account {name} already.")),
            other => fault(other),
        })?;
        let account = json!({ "service_account": name, "role": form.role.as_str() });
        self.make(tx, seat, NewTokenForm { account: id, name, scopes, days: form.days }, account).await
    }

    /// Makes another token of a service account: the one before goes on until it is revoked or expires.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `Invalid` for a field; `NotFound`; `LimitExceeded`.
    pub async fn add_token(&self, seat: &Seat, form: NewTokenForm) -> Result<NewToken, AppError> {
        let name = read_name(&form.name);
        let object = Object { kind: "api_token", id: "", name: &name };
        self.permit_recent(seat, Permission::ManageTokens, Act::CreateToken, object).await?;
        if name.is_empty() {
            return Err(AppError::invalid("name", "Say what the token is for."));
        }
        let scopes = read_scopes(&form.scopes)?;
        let (mut tx, own) = self.locked(seat).await?;
        still(own.role)?;
        let found = service_account::find(&mut tx, &seat.scope, form.account).await.map_err(fault)?;
        let (of, role) = found.ok_or_else(|| AppError::not_found("service account"))?;
        if api_token::count_live(&mut tx, &seat.scope, form.account).await.map_err(fault)? >= TOKENS {
            return Err(AppError::new(
                ErrorCode::LimitExceeded,
                "This service account has many tokens. Revoke one that is not used any more.",
            ));
        }
        let account = json!({ "service_account": of, "role": role.as_str() });
        self.make(tx, seat, NewTokenForm { name, scopes, ..form }, account).await
    }

    /// The token itself. The log says whose it is and what it may; its text and its hash stand in no log.
    async fn make(
        &self,
        mut tx: AuthTx,
        seat: &Seat,
        form: NewTokenForm,
        mut after: Value,
    ) -> Result<NewToken, AppError> {
        let NewTokenForm { account, name, scopes, days } = form;
        if !LIVES.contains(&days) {
            return Err(AppError::invalid("days", "Choose how long the token works: at most 365 days."));
        }
        let (secret, hash) = text::new()?;
        let (id, expires_at) = (ApiTokenId(Uuid::now_v7()), now_us() + i64::from(days) * DAY);
        let new = NewApiToken { id, account, name: &name, scopes: &scopes, created_by: seat.user_id, expires_at };
        api_token::insert(&mut tx, &seat.scope, &hash, &new).await.map_err(fault)?;
        after["scopes"] = json!(words(&scopes));
        after["expires_at"] = json!(timestamp(expires_at));
        let object_id = id.to_string();
        let object = Object { kind: "api_token", id: &object_id, name: &name };
        self.record(seat, &Entry { after: Some(after), ..seat.entry(Act::CreateToken, object) }).await?;
        tx.commit().await.map_err(fault)?;
        Ok(NewToken { id, text: secret.expose().to_owned() })
    }
}

/// One line without what a terminal or a log could take for more.
fn read_name(text: &str) -> String {
    let plain: String = text.chars().filter(|c| !c.is_control()).collect();
    plain.trim().chars().take(LONGEST).collect::<String>().trim_end().to_owned()
}

/// Each once, in their own order.
fn read_scopes(scopes: &[Scope]) -> Result<Vec<Scope>, AppError> {
    let mut scopes = scopes.to_vec();
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(AppError::invalid("scopes", "Choose what the token may read: one thing at least."));
    }
    Ok(scopes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_short_line() {
        assert_eq!(read_name("  Grafana\r\n\u{1b}[2J "), "Grafana[2J");
        assert_eq!(read_name(&"é".repeat(100)).chars().count(), LONGEST);
        assert_eq!(read_name(" \t"), "");
    }

    #[test]
    fn scopes_are_each_there_once() {
        let all = [Scope::ReadSeries, Scope::ReadAssets, Scope::ReadSeries];
        assert_eq!(read_scopes(&all).unwrap(), [Scope::ReadAssets, Scope::ReadSeries]);
        assert_eq!(read_scopes(&[]).unwrap_err().field.as_deref(), Some("scopes"));
    }
}
