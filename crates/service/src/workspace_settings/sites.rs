//! The sites of a workspace: more of them, their names and time zones, and removing one that nothing hangs on.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::SiteId;
use clarity_domain::role::Permission;
use clarity_domain::view::workspace_settings::SiteRow;
use clarity_store::audit::{self, Entry, Object};
use clarity_store::site::{self, SiteUse};
use clarity_store::{StoreError, WorkspaceTx};
use serde_json::{Value, json};

use crate::error::{fault, missing};
use crate::set_up::checked_zone;
use crate::sign_up::checked_name;
use crate::{Seat, Services};

/// So many are made by hand, and shown.
pub(super) const MOST: i64 = 200;
const SITE: Object<'static> = Object { kind: "site", id: "", name: "" };

/// `has_days`: a day of some machine was cut by a site's clock already.
pub(super) fn show(found: Vec<SiteUse>, has_days: bool) -> Vec<SiteRow> {
    found.into_iter().map(|site| row(site, has_days)).collect()
}

fn row(found: SiteUse, has_days: bool) -> SiteRow {
    let SiteUse { site, machines, first } = found;
    SiteRow {
        id: site.id,
        name: site.name,
        time_zone: site.time_zone,
        machines: machines.max(0).unsigned_abs(),
        first,
        name_fixed: machines > 0,
        zone_fixed: has_days && (first || machines > 0),
        may_remove: !first && machines == 0,
    }
}

impl Services {
    /// One more site.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` at `site` or `site_zone`; `LimitExceeded`.
    pub async fn add_site(&self, seat: &Seat, name: &str, time_zone: &str) -> Result<(), AppError> {
        self.permit(seat, Permission::ManageSources, Act::AddSite, SITE).await?;
        let name = checked_name("site", "the site", name)?;
        let zone = checked_zone(time_zone).map_err(|error| at_field(error, "site_zone"))?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        if site::list(&mut tx).await.map_err(fault)?.len() as i64 >= MOST {
            return Err(AppError::new(
                ErrorCode::LimitExceeded,
                format!("This workspace has {MOST} sites. Remove one that is not needed first."),
            ));
        }
        let id = site::insert(&mut tx, &name, &zone).await.map_err(taken("site"))?.to_string();
        let object = Object { id: &id, name: &name, ..SITE };
        let entry = Entry { after: Some(told(&name, &zone)), ..seat.entry(Act::AddSite, object) };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    /// Another name or time zone for a site.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; `Invalid` at `name` or `time_zone`; `Conflict` for another name of a site that data names, and for
    /// another time zone once a day was cut by the old one.
    pub async fn set_site(&self, seat: &Seat, id: SiteId, name: &str, time_zone: &str) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { id: &text, ..SITE };
        self.permit(seat, Permission::ManageSources, Act::ChangeSite, object).await?;
        let name = checked_name("name", "the site", name)?;
        let zone = checked_zone(time_zone)?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let before = find(&mut tx, id).await?;
        if before.name == name && before.time_zone == zone {
            return Ok(());
        }
        if before.name_fixed && before.name != name {
            return Err(AppError::new(
                ErrorCode::Conflict,
                format!(
                    "The data of {} calls this site {}. Under another name here it would come again as a second one: change the \
                     name where the data comes from.",
                    counted(before.machines),
                    before.name
                ),
            ));
        }
        if before.zone_fixed && before.time_zone != zone {
            return Err(AppError::new(
                ErrorCode::Conflict,
                format!(
                    "Days of machines were cut at midnight in {} already, so the time zone stays.",
                    before.time_zone
                ),
            ));
        }
        site::update(&mut tx, id, &name, &zone).await.map_err(taken("name"))?;
        let entry = Entry {
            before: Some(told(&before.name, &before.time_zone)),
            after: Some(told(&name, &zone)),
            ..seat.entry(Act::ChangeSite, Object { name: &name, ..object })
        };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    /// Removes a site that nothing hangs on.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; `Conflict` for the first one, and while something hangs on it.
    pub async fn remove_site(&self, seat: &Seat, id: SiteId) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { id: &text, ..SITE };
        self.permit(seat, Permission::ManageSources, Act::RemoveSite, object).await?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let before = find(&mut tx, id).await?;
        if before.first {
            let message = "This is the first site: machines that are at none go by its clock. It stays.";
            return Err(AppError::new(ErrorCode::Conflict, message));
        }
        let hangs = || AppError::new(ErrorCode::Conflict, "Something belongs to this site still, so it stays.");
        if !before.may_remove {
            return Err(hangs());
        }
        site::delete(&mut tx, id).await.map_err(|error| match error {
            // A machine came, or something else that refers to it.
            StoreError::Conflict(_) => hangs(),
            other => missing("site")(other),
        })?;
        let entry = Entry {
            before: Some(told(&before.name, &before.time_zone)),
            ..seat.entry(Act::RemoveSite, Object { name: &before.name, ..object })
        };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }
}

async fn find(tx: &mut WorkspaceTx, id: SiteId) -> Result<SiteRow, AppError> {
    let has_days = site::has_days(tx).await.map_err(fault)?;
    let found = site::find_used(tx, id).await.map_err(fault)?;
    found.map(|found| row(found, has_days)).ok_or_else(|| AppError::not_found("site"))
}

fn taken(field: &'static str) -> impl Fn(StoreError) -> AppError {
    move |error| match error {
        StoreError::Conflict(_) => AppError::invalid(field, "Another site has this name already."),
        other => missing("site")(other),
    }
}

fn told(name: &str, time_zone: &str) -> Value {
    json!({ "name": name, "time_zone": time_zone })
}

fn at_field(error: AppError, field: &str) -> AppError {
    AppError { field: error.field.map(|_| field.to_owned()), ..error }
}

fn counted(machines: u64) -> String {
    if machines == 1 { "1 machine".into() } else { format!("{machines} machines") }
}
