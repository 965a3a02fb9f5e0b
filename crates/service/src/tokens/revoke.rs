//! Ending tokens and service accounts. Every request asks for its token anew, so what was ended here opens nothing from the
//! commit on.

use clarity_domain::audit::Act;
use clarity_domain::error::AppError;
use clarity_domain::ids::{ApiTokenId, ServiceAccountId};
use clarity_domain::role::Permission;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::{api_token, service_account};
use serde_json::json;

use super::still;
use crate::error::{fault, missing};
use crate::{Seat, Services};

impl Services {
    /// Ends one token. Saying it twice is saying it once.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`.
    pub async fn revoke_token(&self, seat: &Seat, id: ApiTokenId) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { kind: "api_token", id: &text, name: "" };
        self.permit(seat, Permission::ManageTokens, Act::RevokeToken, object).await?;
        let (mut tx, own) = self.locked(seat).await?;
        still(own.role)?;
        let name = api_token::revoke(&mut tx, &seat.scope, id).await.map_err(missing("API token"))?;
        // The token first: from here on it is dead, whatever happens to the rest.
        tx.commit().await.map_err(fault)?;
        self.record(seat, &seat.entry(Act::RevokeToken, Object { name: &name, ..object })).await
    }

    /// Takes a service account out of the workspace, with all its tokens.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` as well for one that was removed before.
    pub async fn remove_service_account(&self, seat: &Seat, id: ServiceAccountId) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { kind: "service_account", id: &text, name: "" };
        self.permit(seat, Permission::ManageTokens, Act::RemoveServiceAccount, object).await?;
        let (mut tx, own) = self.locked(seat).await?;
        still(own.role)?;
        let found = service_account::find(&mut tx, &seat.scope, id).await.map_err(fault)?;
        let (name, role) = found.ok_or_else(|| AppError::not_found("service account"))?;
        let live = api_token::count_live(&mut tx, &seat.scope, id).await.map_err(fault)?;
        service_account::remove(&mut tx, &seat.scope, id).await.map_err(missing("service account"))?;
        tx.commit().await.map_err(fault)?;
        let before = Some(json!({ "role": role.as_str(), "live_tokens": live }));
        let object = Object { name: &name, ..object };
        self.record(seat, &Entry { before, ..seat.entry(Act::RemoveServiceAccount, object) }).await
    }
}
