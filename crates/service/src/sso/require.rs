//! Asking every member to come by single sign-on, and the owners who may come in past it on the day when the provider is down.
//!
//! It can be asked for when an owner has come back from the provider as themselves, and when an owner with a second factor is
//! marked: nobody locks a whole workspace out. Who comes in past it is written down and told to the other owners.

use clarity_domain::audit::{Act, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::role::Permission;
use clarity_domain::view::session::UserCard;
use clarity_store::AuthTx;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::sso::connection::{self, ConnectionRow, OwnerRow};
use clarity_store::auth::workspace::{SeatRow, SsoRule};
use serde_json::json;

use super::settings::SSO;
use crate::audit::{self as log, shown};
use crate::error::{fault, missing};
use crate::mail::Letter;
use crate::{Client, Seat, Services};

/// What stands in the way of requiring it.
pub(super) fn not_yet(connection: &ConnectionRow, owners: &[OwnerRow]) -> Option<&'static str> {
    if !connection.enabled {
        return Some("Turn single sign-on on first.");
    }
    if connection.tested_at.is_none() {
        return Some("Test it first, and come back under the e-mail address of your own account.");
    }
    let a_way_in = owners.iter().any(|owner| owner.break_glass && owner.second_factor);
    if a_way_in {
        return None;
    }
    Some("Mark an owner with a second factor first, who may come in by password when the provider is down.")
}

impl Services {
    /// Asks every member to come by single sign-on, or not any more. Sessions that did not come by it have no seat here from
    /// their next request on, but those of marked owners; API tokens are not touched.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound` without a provider; `Conflict` for what stands in the way.
    pub async fn require_sso(&self, seat: &Seat, required: bool) -> Result<(), AppError> {
        self.permit_recent(seat, Permission::OwnWorkspace, Act::RequireSso, SSO).await?;
        let mut tx = self.locked_by_owner(seat).await?;
        let found = connection::find(&mut tx, &seat.scope).await.map_err(fault)?;
        let found = found.ok_or_else(|| AppError::not_found("single sign-on"))?;
        if found.required == required {
            return Ok(());
        }
        let owners = connection::list_owners(&mut tx, &seat.scope).await.map_err(fault)?;
        if required && let Some(words) = not_yet(&found, &owners) {
            return Err(AppError::new(ErrorCode::Conflict, words));
        }
        connection::set_required(&mut tx, &seat.scope, required).await.map_err(fault)?;
        let entry = Entry {
            before: Some(json!({ "required": found.required })),
            after: Some(json!({ "required": required })),
            ..seat.entry(Act::RequireSso, Object { name: &found.issuer, ..SSO })
        };
        self.record(seat, &entry).await?;
        tx.commit().await.map_err(fault)
    }

    /// Marks an owner who may come in past single sign-on, or takes the mark away.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound` for somebody who is no owner; `Conflict` for the last mark while it is needed, and
    /// for an owner without a second factor.
    pub async fn set_break_glass(&self, seat: &Seat, user: UserId, marked: bool) -> Result<(), AppError> {
        let id = user.to_string();
        let object = Object { kind: "member", id: &id, name: "" };
        self.permit_recent(seat, Permission::OwnWorkspace, Act::SetBreakGlass, object).await?;
        let mut tx = self.locked_by_owner(seat).await?;
        let owners = connection::list_owners(&mut tx, &seat.scope).await.map_err(fault)?;
        let target = owners.iter().find(|owner| owner.user.id == user).ok_or_else(|| AppError::not_found("owner"))?;
        if target.break_glass == marked {
            return Ok(());
        }
        if marked && !target.second_factor {
            let words = format!("{} has no second factor yet. They add one first.", target.user.name);
            return Err(AppError::new(ErrorCode::Conflict, words));
        }
        if !marked {
            self.keep_a_way_in(&mut tx, seat, user).await?;
        }
        connection::set_break_glass(&mut tx, &seat.scope, user, marked).await.map_err(missing("owner"))?;
        let name = shown(&target.user);
        let entry = Entry {
            before: Some(json!({ "break_glass": !marked })),
            after: Some(json!({ "break_glass": marked })),
            ..seat.entry(Act::SetBreakGlass, Object { name: &name, ..object })
        };
        self.record(seat, &entry).await?;
        tx.commit().await.map_err(fault)
    }

    /// Lets go of one of several marked owners. The caller has locked the workspace.
    pub(crate) async fn keep_a_way_in(&self, tx: &mut AuthTx, seat: &Seat, without: UserId) -> Result<(), AppError> {
        let found = connection::find(tx, &seat.scope).await.map_err(fault)?;
        if found.is_none_or(|connection| !connection.required) {
            return Ok(());
        }
        let owners = connection::list_owners(tx, &seat.scope).await.map_err(fault)?;
        let is_way_in = |owner: &&OwnerRow| owner.break_glass && owner.second_factor;
        let is_one = owners.iter().filter(is_way_in).any(|owner| owner.user.id == without);
        if !is_one || owners.iter().filter(is_way_in).count() > 1 {
            return Ok(());
        }
        Err(AppError::new(
            ErrorCode::Conflict,
            "This owner is the last who may come in when the provider is down. Mark another one first, on the page Single sign-on.",
        ))
    }

    /// Writes down, and tells the other owners, where somebody who signed in by password may come in past single sign-on.
    pub(crate) async fn note_break_glass(
        &self,
        tx: &mut AuthTx,
        user: &UserCard,
        seats: &[SeatRow],
        client: &Client,
    ) -> Result<(), AppError> {
        for seat in seats.iter().filter(|seat| seat.sso == SsoRule::BreakGlass) {
            let (actor, id, name) = (log::person(user), user.id.to_string(), shown(user));
            let entry = Entry {
                actor: &actor,
                act: Act::UseBreakGlass,
                object: Object { kind: "member", id: &id, name: &name },
                before: None,
                after: None,
                outcome: Outcome::Done,
                address: &client.address,
                request_id: client.request_id,
            };
            self.record_in(&seat.scope, &entry).await?;
            let page = format!("{}/w/{}/audit", self.settings.public_url, seat.card.slug);
            let letter = Letter::BreakGlass { workspace: &seat.card.name, who: &user.name, page: &page };
            let owners = connection::list_owners(tx, &seat.scope).await.map_err(fault)?;
            for owner in owners.iter().filter(|owner| owner.user.id != user.id) {
                self.post(tx, &owner.user.email, &letter).await?;
            }
        }
        Ok(())
    }
}
