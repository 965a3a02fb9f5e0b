//! Making an owner, in two steps: an owner offers, the member accepts. Nobody becomes one unasked, and nobody by a slip.
//!
//! Whoever offered stays an owner, and may then step down or leave.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::role::{Permission, Role};
use clarity_domain::time::{DAY, Micros};
use clarity_runtime::clock::now_us;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::{member, ownership};
use serde_json::json;

use crate::audit::{shown, timestamp};
use crate::error::{fault, forbidden, missing};
use crate::mail::Letter;
use crate::{Seat, Services};

/// How long an offer can be accepted.
const OFFER_LIFE: Micros = 7 * DAY;

impl Services {
    /// Offers a member to become an owner; they are told by letter.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound`; `Conflict` when they are one, or while an offer is open; `RateLimited`.
    pub async fn offer_ownership(&self, seat: &Seat, user: UserId) -> Result<(), AppError> {
        let id = user.to_string();
        let object = Object { kind: "member", id: &id, name: "" };
        self.permit_recent(seat, Permission::OwnWorkspace, Act::OfferOwnership, object).await?;
        let (mut tx, own) = self.locked(seat).await?;
        if !own.role.may(Permission::OwnWorkspace) {
            return Err(forbidden(Permission::OwnWorkspace));
        }
        let target = member::find(&mut tx, &seat.scope, user).await.map_err(fault)?;
        let target = target.ok_or_else(|| AppError::not_found("member"))?;
        let conflict = |message: String| Err(AppError::new(ErrorCode::Conflict, message));
        if target.role == Role::Owner {
            return conflict(format!("{} is an owner already.", target.user.name));
        }
        if let Some(open) = ownership::find(&mut tx, &seat.scope).await.map_err(fault)? {
            return conflict(format!("Ownership is offered to {} already. Withdraw that offer first.", open.to.name));
        }
        let expires_at = now_us() + OFFER_LIFE;
        ownership::delete(&mut tx, &seat.scope).await.map_err(fault)?;
        ownership::insert(&mut tx, &seat.scope, user, seat.user_id, expires_at).await.map_err(fault)?;
        self.count_letter(&mut tx, seat).await?;
        let link = format!("{}/w/{}/members", self.settings.public_url, seat.card.slug);
        let letter = Letter::OwnershipOffer { workspace: &seat.card.name, by: &own.user.name, link: &link };
        self.post(&mut tx, &target.user.email, &letter).await?;
        let name = shown(&target.user);
        let object = Object { name: &name, ..object };
        let after = json!({ "expires_at": timestamp(expires_at) });
        self.record(seat, &Entry { after: Some(after), ..seat.entry(Act::OfferOwnership, object) }).await?;
        tx.commit().await.map_err(fault)
    }

    /// Takes the open offer back, whichever owner made it.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` when none is open.
    pub async fn withdraw_offer(&self, seat: &Seat) -> Result<(), AppError> {
        let object = Object { kind: "member", ..Object::default() };
        self.permit(seat, Permission::OwnWorkspace, Act::WithdrawOwnership, object).await?;
        let (mut tx, own) = self.locked(seat).await?;
        if !own.role.may(Permission::OwnWorkspace) {
            return Err(forbidden(Permission::OwnWorkspace));
        }
        let offer = ownership::find(&mut tx, &seat.scope).await.map_err(fault)?;
        let offer = offer.ok_or_else(|| AppError::not_found("offer"))?;
        ownership::delete(&mut tx, &seat.scope).await.map_err(fault)?;
        // The offer first: from here on it cannot be accepted, whatever happens to the rest.
        tx.commit().await.map_err(fault)?;
        let (id, name) = (offer.to.id.to_string(), shown(&offer.to));
        let object = Object { id: &id, name: &name, ..object };
        self.record(seat, &seat.entry(Act::WithdrawOwnership, object)).await
    }

    /// The second step: the member becomes an owner beside those there are.
    ///
    /// # Errors
    /// `NotFound` when nothing is offered to this person, or not any more; `ConfirmNeeded`.
    pub async fn accept_ownership(&self, seat: &Seat) -> Result<(), AppError> {
        let (mut tx, own) = self.locked(seat).await?;
        let offer = ownership::find(&mut tx, &seat.scope).await.map_err(fault)?;
        let offer = offer.filter(|offer| offer.to.id == seat.user_id);
        let offer = offer.ok_or_else(|| AppError::not_found("offer"))?;
        // Every member may; but only somebody who has just shown that it is them.
        let object = Object { kind: "member", ..Object::default() };
        self.permit_recent(seat, Permission::View, Act::AcceptOwnership, object).await?;
        ownership::delete(&mut tx, &seat.scope).await.map_err(fault)?;
        member::set_role(&mut tx, &seat.scope, seat.user_id, Role::Owner).await.map_err(missing("workspace"))?;
        let (id, name) = (seat.user_id.to_string(), shown(&own.user));
        let entry = Entry {
            before: Some(json!({ "role": own.role.as_str() })),
            after: Some(json!({ "role": Role::Owner.as_str(), "offered_by": offer.by })),
            ..seat.entry(Act::AcceptOwnership, Object { kind: "member", id: &id, name: &name })
        };
        self.record(seat, &entry).await?;
        tx.commit().await.map_err(fault)
    }
}
