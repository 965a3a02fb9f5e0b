//! What a workspace is called, where it is, and its sites. Admins change the name, the place and the sites, owners the address.

mod address;
mod sites;

use clarity_domain::audit::Act;
use clarity_domain::error::AppError;
use clarity_domain::role::Permission;
use clarity_domain::view::workspace_settings::WorkspaceSettings;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::sso::connection;
use clarity_store::auth::{former_slug, workspace};
use clarity_store::site;
use serde_json::json;

use crate::error::{fault, forbidden};
use crate::set_up::zones;
use crate::sign_up::checked_name;
use crate::{Seat, Services};

impl Services {
    /// # Errors
    /// `Forbidden`.
    pub async fn workspace_settings(&self, seat: &Seat) -> Result<WorkspaceSettings, AppError> {
        let object = Object { kind: "workspace", ..Object::default() };
        self.permit(seat, Permission::ManageSources, Act::ReadSettings, object).await?;
        let may_change_address = seat.role().may(Permission::OwnWorkspace);
        let confirmed = may_change_address
            && self.permit_recent(seat, Permission::OwnWorkspace, Act::ReadSettings, object).await.is_ok();
        let mut auth = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let name = workspace::get_name(&mut auth, &seat.scope).await.map_err(fault)?;
        let slug = former_slug::get_current(&mut auth, &seat.scope).await.map_err(fault)?;
        let former = former_slug::list(&mut auth, &seat.scope).await.map_err(fault)?;
        let place = workspace::get_place(&mut auth, &seat.scope).await.map_err(fault)?;
        let by_sso = connection::find(&mut auth, &seat.scope).await.map_err(fault)?.is_some();
        auth.commit().await.map_err(fault)?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let found = site::list_used(&mut tx, sites::MOST).await.map_err(fault)?;
        let has_days = site::has_days(&mut tx).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(WorkspaceSettings {
            name,
            slug,
            base: format!("{}/w/", self.settings.public_url),
            former,
            may_change_address,
            confirmed,
            by_sso,
            region: place.region,
            time_zone: place.time_zone,
            zones: zones(),
            sites: sites::show(found, has_days),
        })
    }

    /// Calls the workspace something else. Its address stays.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` at `name`.
    pub async fn rename_workspace(&self, seat: &Seat, name: &str) -> Result<(), AppError> {
        let id = seat.card.id.to_string();
        let object = Object { kind: "workspace", id: &id, name: &seat.card.name };
        self.permit(seat, Permission::ManageSources, Act::RenameWorkspace, object).await?;
        let name = checked_name("name", "the workspace", name)?;
        let (mut tx, own) = self.locked(seat).await?;
        if !own.role.may(Permission::ManageSources) {
            return Err(forbidden(Permission::ManageSources));
        }
        let before = workspace::get_name(&mut tx, &seat.scope).await.map_err(fault)?;
        if before == name {
            return Ok(());
        }
        workspace::set_name(&mut tx, &seat.scope, &name).await.map_err(fault)?;
        let entry = Entry {
            before: Some(json!({ "name": before })),
            after: Some(json!({ "name": name })),
            ..seat.entry(Act::RenameWorkspace, Object { name: &name, ..object })
        };
        self.record(seat, &entry).await?;
        tx.commit().await.map_err(fault)
    }
}
