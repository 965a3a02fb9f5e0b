//! Changing what a member may do, removing one, and leaving.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::role::{Permission, Role, may_be_limited, may_change, may_remove};
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::member;
use serde_json::json;

use super::keep_an_owner;
use super::sites::said;
use crate::audit::shown;
use crate::error::{fault, missing};
use crate::{Seat, Services};

impl Services {
    /// Gives a member another role. An owner may step down so, when there is another. Whoever becomes an admin sees every site
    /// from then on.
    ///
    /// # Errors
    /// `Forbidden` for what the seat may not give or take; `ConfirmNeeded`; `NotFound`; `Conflict` for the last owner.
    pub async fn change_role(&self, seat: &Seat, user: UserId, role: Role) -> Result<(), AppError> {
        let id = user.to_string();
        let object = Object { kind: "member", id: &id, name: "" };
        self.permit_recent(seat, Permission::ManageMembers, Act::ChangeRole, object).await?;
        let (mut tx, own) = self.locked(seat).await?;
        let target = member::find(&mut tx, &seat.scope, user).await.map_err(fault)?;
        let target = target.ok_or_else(|| AppError::not_found("member"))?;
        let name = shown(&target.user);
        let object = Object { name: &name, ..object };
        if target.role == role {
            return Ok(());
        }
        if !may_change(own.role, target.role, role) {
            drop(tx);
            let message = if role == Role::Owner {
                "A role makes nobody an owner. An owner can offer ownership to a member, who then accepts it."
            } else {
                "Your role does not allow you to make this change: nobody changes a member above themselves, or gives more than they hold."
            };
            return self.refuse(seat, Act::ChangeRole, object, role, message).await;
        }
        if target.role == Role::Owner {
            keep_an_owner(&mut tx, seat).await?;
            self.keep_a_way_in(&mut tx, seat, user).await?;
        }
        member::set_role(&mut tx, &seat.scope, user, role).await.map_err(missing("member"))?;
        let (mut before, mut after) = (json!({ "role": target.role.as_str() }), json!({ "role": role.as_str() }));
        if target.sites.is_some() && !may_be_limited(role) {
            // The role lifts the limit with it.
            before["sites"] = said(&self.sites_of(seat).await?, target.sites.as_deref());
            after["sites"] = said(&[], None);
        }
        let entry = Entry { before: Some(before), after: Some(after), ..seat.entry(Act::ChangeRole, object) };
        self.record(seat, &entry).await?;
        tx.commit().await.map_err(fault)
    }

    /// Takes somebody out of the workspace: with their next request they are out, with live connections within seconds.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound`; `Conflict` for oneself.
    pub async fn remove_member(&self, seat: &Seat, user: UserId) -> Result<(), AppError> {
        let id = user.to_string();
        let object = Object { kind: "member", id: &id, name: "" };
        self.permit_recent(seat, Permission::ManageMembers, Act::RemoveMember, object).await?;
        let (mut tx, own) = self.locked(seat).await?;
        let target = member::find(&mut tx, &seat.scope, user).await.map_err(fault)?;
        let target = target.ok_or_else(|| AppError::not_found("member"))?;
        if user == seat.user_id {
            return Err(AppError::new(ErrorCode::Conflict, "Nobody removes themselves. Leave the workspace instead."));
        }
        let name = shown(&target.user);
        let object = Object { name: &name, ..object };
        if !may_remove(own.role, target.role) {
            drop(tx);
            let message = "Your role does not allow you to remove a member above yourself.";
            return self.refuse(seat, Act::RemoveMember, object, target.role, message).await;
        }
        self.keep_a_way_in(&mut tx, seat, user).await?;
        // Whoever removes an owner is one, and stays.
        member::remove(&mut tx, &seat.scope, user).await.map_err(missing("member"))?;
        // The seat first: from here on the person is out, whatever happens to the rest.
        tx.commit().await.map_err(fault)?;
        let before = Some(json!({ "role": target.role.as_str() }));
        self.record(seat, &Entry { before, ..seat.entry(Act::RemoveMember, object) }).await
    }

    /// Takes oneself out.
    ///
    /// # Errors
    /// `Conflict` for the last owner.
    pub async fn leave(&self, seat: &Seat) -> Result<(), AppError> {
        let (mut tx, own) = self.locked(seat).await?;
        if own.role == Role::Owner {
            keep_an_owner(&mut tx, seat).await?;
            self.keep_a_way_in(&mut tx, seat, seat.user_id).await?;
        }
        member::remove(&mut tx, &seat.scope, seat.user_id).await.map_err(missing("workspace"))?;
        tx.commit().await.map_err(fault)?;
        let (id, name) = (seat.user_id.to_string(), shown(&own.user));
        let object = Object { kind: "member", id: &id, name: &name };
        let before = Some(json!({ "role": own.role.as_str() }));
        self.record(seat, &Entry { before, ..seat.entry(Act::LeaveWorkspace, object) }).await
    }
}
