//! Setting a workspace's provider up: owners only, who have just shown that it is them.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::role::{Permission, Role};
use clarity_domain::view::sso::{SsoConnection, SsoEdit, SsoOwner, SsoPage};
use clarity_runtime::clock::now_us;
use clarity_store::AuthTx;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::member;
use clarity_store::auth::sso::connection::{self, ConnectionEdit, ConnectionRow, OwnerRow};
use clarity_store::auth::sso::identity;
use serde_json::{Value, json};

use super::SECRET;
use crate::audit::shown;
use crate::error::{fault, forbidden};
use crate::second_factor::is_confirmed;
use crate::{Seat, Services};

/// As the table has it.
const LONGEST_ISSUER: usize = 500;
const LONGEST_CLIENT_ID: usize = 300;
const LONGEST_SECRET: usize = 1_000;
/// Members that are shown.
const SHOWN: i64 = 500;
/// For the log: what kind of thing is acted on.
pub(super) const SSO: Object<'static> = Object { kind: "sso", id: "", name: "" };

impl Services {
    /// The provider as it is set up, what its last test found, and the owners.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn sso(&self, seat: &Seat) -> Result<SsoPage, AppError> {
        self.permit(seat, Permission::OwnWorkspace, Act::ReadSso, SSO).await?;
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let connection = connection::find(&mut tx, &seat.scope).await.map_err(fault)?;
        let owners = connection::list_owners(&mut tx, &seat.scope).await.map_err(fault)?;
        let linked = match &connection {
            Some(row) => identity::list(&mut tx, &seat.scope, &row.issuer, SHOWN).await.map_err(fault)?,
            None => Vec::new(),
        };
        tx.commit().await.map_err(fault)?;
        Ok(SsoPage {
            as_of: now_us(),
            confirmed: is_confirmed(seat),
            redirect_uri: self.sso_redirect_uri(seat.card.id),
            start_url: format!("{}/sso/start/{}", self.settings.public_url, seat.card.slug),
            connection: connection.map(|row| show(row, &owners)),
            owners: owners.into_iter().map(show_owner).collect(),
            linked,
        })
    }

    /// Keeps the provider. Another issuer or client is another provider: its test counts no more, ways to it that are under way
    /// end, and nobody is made to come by it until it was tested again. Sessions that another issuer vouched for end.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `Invalid` at `issuer`, `client_id`, `client_secret` or `default_role`.
    pub async fn set_sso(&self, seat: &Seat, edit: SsoEdit) -> Result<(), AppError> {
        self.permit_recent(seat, Permission::OwnWorkspace, Act::SetSso, SSO).await?;
        let (issuer, client_id) = (edit.issuer.trim(), edit.client_id.trim());
        check_issuer(issuer)?;
        if client_id.is_empty() || client_id.chars().count() > LONGEST_CLIENT_ID || client_id.contains(char::is_control)
        {
            return Err(AppError::invalid("client_id", "Copy the client ID from the provider."));
        }
        if edit.default_role == Role::Owner {
            return Err(AppError::invalid("default_role", "Nobody joins as an owner. Choose another role."));
        }
        if edit.client_secret.len() > LONGEST_SECRET {
            return Err(AppError::invalid("client_secret", "This is longer than a client secret is."));
        }
        let mut tx = self.locked_by_owner(seat).await?;
        let before = connection::find(&mut tx, &seat.scope).await.map_err(fault)?;
        let anew = before.as_ref().is_some_and(|row| row.issuer != issuer || row.client_id != client_id);
        let another_issuer = before.as_ref().is_some_and(|row| row.issuer != issuer);
        let required = before.as_ref().is_some_and(|row| row.required && edit.enabled && !anew);
        let sealed = match (&before, edit.client_secret.trim()) {
            // A secret goes to nobody but the provider it was given for.
            (Some(row), "") if row.issuer == issuer => row.client_secret_box.clone(),
            (_, "") => return Err(AppError::invalid("client_secret", "Copy the client secret from the provider.")),
            (_, secret) => self.settings.secrets.seal_as(SECRET, seat.card.id.0, secret.as_bytes())?,
        };
        let new = ConnectionEdit {
            issuer,
            client_id,
            client_secret_box: &sealed,
            default_role: edit.default_role,
            enabled: edit.enabled,
            anew,
            another_issuer,
        };
        connection::save(&mut tx, &seat.scope, seat.user_id, &new).await.map_err(fault)?;
        let entry = Entry {
            before: before.as_ref().map(told),
            after: Some(json!({
                "issuer": issuer,
                "client_id": client_id,
                "default_role": edit.default_role.as_str(),
                "enabled": edit.enabled,
                "required": required,
                "new_secret": !edit.client_secret.trim().is_empty(),
            })),
            ..seat.entry(Act::SetSso, Object { name: issuer, ..SSO })
        };
        self.record(seat, &entry).await?;
        tx.commit().await.map_err(fault)
    }

    /// Takes the provider away: whoever came by it is out with the next request.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound` when there is none.
    pub async fn remove_sso(&self, seat: &Seat) -> Result<(), AppError> {
        self.permit_recent(seat, Permission::OwnWorkspace, Act::RemoveSso, SSO).await?;
        let mut tx = self.locked_by_owner(seat).await?;
        let before = connection::find(&mut tx, &seat.scope).await.map_err(fault)?;
        let before = before.ok_or_else(|| AppError::not_found("single sign-on"))?;
        connection::remove(&mut tx, &seat.scope).await.map_err(fault)?;
        let object = Object { name: &before.issuer, ..SSO };
        let entry = Entry { before: Some(told(&before)), ..seat.entry(Act::RemoveSso, object) };
        self.record(seat, &entry).await?;
        tx.commit().await.map_err(fault)
    }

    /// Forgets whom the provider knew a member as: they link again with their password, or not at all.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound`.
    pub async fn unlink_sso(&self, seat: &Seat, user: UserId) -> Result<(), AppError> {
        let id = user.to_string();
        let object = Object { kind: "member", id: &id, name: "" };
        self.permit_recent(seat, Permission::OwnWorkspace, Act::UnlinkSso, object).await?;
        let mut tx = self.locked_by_owner(seat).await?;
        let target = member::find(&mut tx, &seat.scope, user).await.map_err(fault)?;
        let target = target.ok_or_else(|| AppError::not_found("member"))?;
        if !identity::unlink(&mut tx, &seat.scope, user).await.map_err(fault)? {
            return Err(AppError::new(ErrorCode::NotFound, "This member is not linked to single sign-on."));
        }
        let name = shown(&target.user);
        self.record(seat, &seat.entry(Act::UnlinkSso, Object { name: &name, ..object })).await?;
        tx.commit().await.map_err(fault)
    }

    /// [`Services::locked`], for those who are owners at this moment.
    pub(super) async fn locked_by_owner(&self, seat: &Seat) -> Result<AuthTx, AppError> {
        let (tx, own) = self.locked(seat).await?;
        if own.role.may(Permission::OwnWorkspace) { Ok(tx) } else { Err(forbidden(Permission::OwnWorkspace)) }
    }
}

/// Without a user name, a query or a fragment; whether plain http may be asked is the way out's to say.
fn check_issuer(issuer: &str) -> Result<(), AppError> {
    let wrong = |words: &str| Err(AppError::invalid("issuer", words));
    let Ok(url) = url::Url::parse(issuer) else {
        return wrong("Enter the issuer as the provider writes it, such as https://login.example.com.");
    };
    if !matches!(url.scheme(), "https" | "http") || url.host_str().is_none() || issuer.len() > LONGEST_ISSUER {
        return wrong("Enter the issuer as the provider writes it, such as https://login.example.com.");
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return wrong("An issuer has no user name, and nothing behind a ? or a #.");
    }
    Ok(())
}

/// For the log. Never the secret.
fn told(row: &ConnectionRow) -> Value {
    json!({
        "issuer": row.issuer,
        "client_id": row.client_id,
        "default_role": row.default_role.as_str(),
        "enabled": row.enabled,
        "required": row.required,
    })
}

fn show(row: ConnectionRow, owners: &[OwnerRow]) -> SsoConnection {
    let not_yet = super::require::not_yet(&row, owners).map(str::to_owned);
    SsoConnection {
        issuer: row.issuer,
        client_id: row.client_id,
        default_role: row.default_role,
        enabled: row.enabled,
        required: row.required,
        tested_at: row.tested_at,
        found: row.found,
        not_yet,
    }
}

fn show_owner(row: OwnerRow) -> SsoOwner {
    SsoOwner {
        id: row.user.id,
        name: row.user.name,
        email: row.user.email,
        break_glass: row.break_glass,
        second_factor: row.second_factor,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_address_and_nothing_more() {
        for fine in ["https://login.example.com", "https://login.example.com/realms/plant/", "http://127.0.0.1:9000"] {
            assert!(check_issuer(fine).is_ok(), "{fine}");
        }
        let long = format!("https://login.example.com/{}", "a".repeat(500));
        for wrong in [
            "",
            "login.example.com",
            "ftp://a.example",
            "https://u:p@a.example",
            "https://a.example/?x=1",
            "javascript:alert(1)",
            &long,
        ] {
            assert_eq!(check_issuer(wrong).unwrap_err().field.as_deref(), Some("issuer"), "{wrong}");
        }
    }
}
