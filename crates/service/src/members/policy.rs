//! Whether the members of a workspace need a second factor.
//!
//! From the moment it is asked for, whoever has shown none is led to add one; their live connections end within seconds.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::role::Permission;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::workspace;
use serde_json::json;

use crate::error::{fault, forbidden};
use crate::{Seat, Services};

impl Services {
    /// Asks the members for a second factor, or not any more.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `Conflict` when the owner who asks for it has none.
    pub async fn require_second_factor(&self, seat: &Seat, required: bool) -> Result<(), AppError> {
        let id = seat.card.id.to_string();
        let object = Object { kind: "workspace", id: &id, name: &seat.card.name };
        self.permit_recent(seat, Permission::OwnWorkspace, Act::RequireSecondFactor, object).await?;
        if required && !seat.has_second_factor() {
            let message = "Add a second factor for yourself first: you would be asked for one like everybody else.";
            return Err(AppError::new(ErrorCode::Conflict, message));
        }
        let (mut tx, own) = self.locked(seat).await?;
        if !own.role.may(Permission::OwnWorkspace) {
            return Err(forbidden(Permission::OwnWorkspace));
        }
        if seat.second_factor_required == required {
            return Ok(());
        }
        workspace::set_second_factor_required(&mut tx, &seat.scope, required).await.map_err(fault)?;
        let entry = Entry {
            before: Some(json!({ "second_factor_required": seat.second_factor_required })),
            after: Some(json!({ "second_factor_required": required })),
            ..seat.entry(Act::RequireSecondFactor, object)
        };
        self.record(seat, &entry).await?;
        tx.commit().await.map_err(fault)
    }
}
