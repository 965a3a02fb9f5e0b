//! Asking a person in: by letter, to one address, once, for three days.
//!
//! The link is in the letter and nowhere else; of its token a hash is kept. A letter that is sent again has another link,
//! and the one before is dead.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{InvitationId, SiteId};
use clarity_domain::names::parse_email;
use clarity_domain::role::{Permission, Role, may_grant};
use clarity_runtime::clock::now_us;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::invitation::{self, NewInvitation};
use clarity_store::auth::member;
use clarity_store::{AuthTx, StoreError};
use serde_json::json;
use uuid::Uuid;

use super::INVITATION_LIFE;
use super::sites::{checked_limit, said};
use crate::audit::timestamp;
use crate::error::{fault, missing};
use crate::mail::Letter;
use crate::visitor::new_token;
use crate::{Seat, Services};

/// What a letter says.
struct Invited<'a> {
    inviter: &'a str,
    email: &'a str,
    role: Role,
    token: &'a str,
    /// Another letter was sent before.
    again: bool,
}

const ABOVE: &str = "Nobody gives a role above their own, and nobody is invited as an owner.";

impl Services {
    /// As [`Self::invite_to`], to every site.
    ///
    /// # Errors
    /// As there.
    pub async fn invite(&self, seat: &Seat, email: &str, role: Role) -> Result<String, AppError> {
        self.invite_to(seat, email, role, None).await
    }

    /// Sends an invitation, to these sites or to every site. The address as it was understood.
    ///
    /// # Errors
    /// `Forbidden` for a role that the seat may not give; `ConfirmNeeded` for an admin; `Invalid` at `email` or `sites`;
    /// `LimitExceeded`; `RateLimited`.
    pub async fn invite_to(
        &self,
        seat: &Seat,
        email: &str,
        role: Role,
        sites: Option<&[SiteId]>,
    ) -> Result<String, AppError> {
        let object = Object { kind: "invitation", ..Object::default() };
        self.permit(seat, Permission::ManageMembers, Act::InviteMember, object).await?;
        let email = parse_email(email)?;
        let object = Object { name: &email, ..object };
        if role >= Role::Admin && may_grant(seat.role(), role) {
            // Whoever comes in so may do what this session may, and stays when it has ended.
            self.permit_recent(seat, Permission::ManageMembers, Act::InviteMember, object).await?;
        }
        let all = self.sites_of(seat).await?;
        let (mut tx, own) = self.locked(seat).await?;
        if !may_grant(own.role, role) {
            drop(tx);
            return self.refuse(seat, Act::InviteMember, object, role, ABOVE).await;
        }
        let limit = checked_limit(&all, role, sites)?;
        if member::is_member(&mut tx, &seat.scope, &email).await.map_err(fault)? {
            return Err(AppError::invalid("email", format!("{email} is a member of this workspace already.")));
        }
        if invitation::is_open(&mut tx, &seat.scope, &email).await.map_err(fault)? {
            return Err(is_invited(&email));
        }
        let open = invitation::count_open(&mut tx, &seat.scope).await.map_err(fault)?;
        if open >= self.settings.limits.open_invitations {
            return Err(AppError::new(
                ErrorCode::LimitExceeded,
                "This workspace has many invitations that nobody has accepted yet. Revoke those that are not needed any more.",
            ));
        }
        let members = member::count(&mut tx, &seat.scope).await.map_err(fault)?;
        self.permit_seats(&seat.scope, members + open + 1).await?;
        let (token, token_hash) = new_token()?;
        let (id, expires_at) = (InvitationId(Uuid::now_v7()), now_us() + INVITATION_LIFE);
        let new = NewInvitation {
            id,
            email: &email,
            role,
            sites: limit.as_deref(),
            token_hash: &token_hash,
            invited_by: seat.user_id,
            expires_at,
        };
        invitation::insert(&mut tx, &seat.scope, &new).await.map_err(|error| match error {
            StoreError::Conflict(_) => is_invited(&email),
            other => fault(other),
        })?;
        let new = Invited { inviter: &own.user.name, email: &email, role, token: &token, again: false };
        self.write_invitation(&mut tx, seat, &new).await?;
        let text = id.to_string();
        let mut after = json!({ "role": role.as_str(), "expires_at": timestamp(expires_at) });
        if limit.is_some() {
            after["sites"] = said(&all, limit.as_deref());
        }
        let entry = Entry { after: Some(after), ..seat.entry(Act::InviteMember, Object { id: &text, ..object }) };
        self.record(seat, &entry).await?;
        self.note_invited(seat).await?;
        tx.commit().await.map_err(fault)?;
        Ok(email)
    }

    /// Sends another letter with another link, for the same address and role. The address.
    ///
    /// # Errors
    /// `NotFound` as well for one that was accepted or revoked; `Forbidden` for a role above the seat's; `RateLimited`.
    pub async fn resend_invitation(&self, seat: &Seat, id: InvitationId) -> Result<String, AppError> {
        let text = id.to_string();
        let object = Object { kind: "invitation", id: &text, name: "" };
        self.permit(seat, Permission::ManageMembers, Act::ResendInvitation, object).await?;
        let (mut tx, own) = self.locked(seat).await?;
        let found = invitation::find_open(&mut tx, &seat.scope, id).await.map_err(fault)?;
        let (email, role) = found.ok_or_else(|| AppError::not_found("invitation"))?;
        let object = Object { name: &email, ..object };
        if !may_grant(own.role, role) {
            drop(tx);
            return self.refuse(seat, Act::ResendInvitation, object, role, ABOVE).await;
        }
        if role >= Role::Admin {
            // This session vouches for them anew. Nothing is locked meanwhile: what ends is found by the renewal.
            drop(tx);
            self.permit_recent(seat, Permission::ManageMembers, Act::ResendInvitation, object).await?;
            tx = self.locked(seat).await?.0;
        }
        let (token, token_hash) = new_token()?;
        let expires_at = now_us() + INVITATION_LIFE;
        let renewed = invitation::renew(&mut tx, &seat.scope, id, seat.user_id, &token_hash, expires_at).await;
        renewed.map_err(missing("invitation"))?;
        let newer = Invited { inviter: &own.user.name, email: &email, role, token: &token, again: true };
        self.write_invitation(&mut tx, seat, &newer).await?;
        let after = json!({ "role": role.as_str(), "expires_at": timestamp(expires_at) });
        self.record(seat, &Entry { after: Some(after), ..seat.entry(Act::ResendInvitation, object) }).await?;
        tx.commit().await.map_err(fault)?;
        Ok(email)
    }

    /// Ends an invitation: its link is dead at once.
    ///
    /// # Errors
    /// `NotFound` as well for one that was accepted or revoked.
    pub async fn revoke_invitation(&self, seat: &Seat, id: InvitationId) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { kind: "invitation", id: &text, name: "" };
        self.permit(seat, Permission::ManageMembers, Act::RevokeInvitation, object).await?;
        let (mut tx, own) = self.locked(seat).await?;
        if !own.role.may(Permission::ManageMembers) {
            return Err(crate::error::forbidden(Permission::ManageMembers));
        }
        let found = invitation::find_open(&mut tx, &seat.scope, id).await.map_err(fault)?;
        let (email, role) = found.ok_or_else(|| AppError::not_found("invitation"))?;
        invitation::revoke(&mut tx, &seat.scope, id).await.map_err(missing("invitation"))?;
        // The link first: from here on it is dead, whatever happens to the rest.
        tx.commit().await.map_err(fault)?;
        let object = Object { name: &email, ..object };
        let before = Some(json!({ "role": role.as_str() }));
        self.record(seat, &Entry { before, ..seat.entry(Act::RevokeInvitation, object) }).await
    }

    /// The letter with the link.
    async fn write_invitation(&self, tx: &mut AuthTx, seat: &Seat, to: &Invited<'_>) -> Result<(), AppError> {
        let Invited { inviter, email, role, token, again } = *to;
        self.count_letter(tx, seat).await?;
        let link = format!("{}/invite/{token}", self.settings.public_url);
        let letter = Letter::Invitation { workspace: &seat.card.name, inviter, role, link: &link, again };
        self.post(tx, email, &letter).await
    }
}

fn is_invited(email: &str) -> AppError {
    AppError::invalid("email", format!("{email} is invited already. Resend that invitation if the letter was lost."))
}
