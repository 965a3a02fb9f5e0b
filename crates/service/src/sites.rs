//! The sites of a workspace and which machines are at them: what members who are limited to sites see follows from it.
//!
//! Machines get their site from what sources say of them, or here. A source that says it later is believed again: it is nearer
//! to the machine.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{AssetId, SiteId};
use clarity_domain::role::Permission;
use clarity_domain::view::sites::{MachineRow, SiteCard, SitesPage};
use clarity_store::WorkspaceTx;
use clarity_store::asset::{self, Asset};
use clarity_store::audit::{self, Entry, Object};
use clarity_store::site::{self, Site};
use serde_json::json;

use crate::error::{fault, missing};
use crate::frame::small;
use crate::masked::Masks;
use crate::{Seat, Services};

/// Machines that are shown; there is no page for more yet.
const SHOWN: usize = 200;

impl Services {
    /// The machines with where they are, and the sites to choose from.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn sites(&self, seat: &Seat) -> Result<SitesPage, AppError> {
        self.permit(seat, Permission::ManageSources, Act::ReadSites, Object::default()).await?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let sites = site::list(&mut tx).await.map_err(fault)?;
        let masks = Masks::of(&mut tx, seat, &self.settings.secrets).await.map_err(fault)?;
        let machines = masks.assets(asset::list(&mut tx).await.map_err(fault)?);
        tx.commit().await.map_err(fault)?;
        Ok(SitesPage {
            sites: sites.into_iter().map(|site| SiteCard { id: site.id, name: site.name }).collect(),
            machines_total: small(machines.len() as i64),
            without_site: small(machines.iter().filter(|machine| machine.site_id.is_none()).count() as i64),
            machines: shown(machines),
        })
    }

    /// Puts a machine at a site, or at none: then members who are limited to sites do not see it.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound`; `Conflict` for a site with another time zone, once a day of the machine was cut by the old one.
    pub async fn move_asset(&self, seat: &Seat, id: AssetId, to: Option<SiteId>) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { kind: "asset", id: &text, name: "" };
        self.permit(seat, Permission::ManageSources, Act::MoveAsset, object).await?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let sites = site::list(&mut tx).await.map_err(fault)?;
        let machines = asset::list(&mut tx).await.map_err(fault)?;
        let machine = machines.into_iter().find(|machine| machine.id == id);
        let machine = machine.ok_or_else(|| AppError::not_found("machine"))?;
        if to.is_some_and(|to| sites.iter().all(|site| site.id != to)) {
            return Err(AppError::not_found("site"));
        }
        if machine.site_id == to {
            return Ok(());
        }
        keep_days(&mut tx, &machine, zone_at(&sites, to)).await?;
        asset::set_site(&mut tx, id, to).await.map_err(missing("machine"))?;
        let name_of = |id: Option<SiteId>| sites.iter().find(|site| Some(site.id) == id).map(|site| site.name.as_str());
        let entry = Entry {
            before: Some(json!({ "site": name_of(machine.site_id) })),
            after: Some(json!({ "site": name_of(to) })),
            ..seat.entry(Act::MoveAsset, Object { name: &machine.name, ..object })
        };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }
}

/// Without a site the first one's clock holds.
fn zone_at(sites: &[Site], id: Option<SiteId>) -> &str {
    let at = sites.iter().find(|site| Some(site.id) == id).or(sites.first());
    at.map_or("UTC", |site| site.time_zone.as_str())
}

/// Days that were cut stay as they are, so a machine that has some stays in its time zone.
async fn keep_days(tx: &mut WorkspaceTx, machine: &Asset, zone: &str) -> Result<(), AppError> {
    if machine.time_zone == zone || !site::has_days_of(tx, machine.number).await.map_err(fault)? {
        return Ok(());
    }
    Err(AppError::new(
        ErrorCode::Conflict,
        format!(
            "Days of {} were cut at midnight in {} already, so it can be moved to sites with that time zone alone.",
            machine.name, machine.time_zone
        ),
    ))
}

/// Those that somebody has to place first, then by name.
fn shown(mut machines: Vec<Asset>) -> Vec<MachineRow> {
    machines.sort_by_cached_key(|machine| (machine.site_id.is_some(), machine.name.to_lowercase(), machine.number));
    machines.truncate(SHOWN);
    let row =
        |machine: Asset| MachineRow { id: machine.id, name: machine.name, key: machine.key, site: machine.site_id };
    machines.into_iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn a_machine_without_a_site_goes_by_the_first_ones_clock() {
        let id = |n| SiteId(Uuid::from_u128(n));
        let site = |n: u128, zone: &str| Site { id: id(n), name: n.to_string(), time_zone: zone.into() };
        let sites = [site(1, "Europe/Stockholm"), site(2, "America/Chicago")];
        assert_eq!(zone_at(&sites, Some(id(2))), "America/Chicago");
        assert_eq!(zone_at(&sites, None), "Europe/Stockholm");
        assert_eq!(zone_at(&[], None), "UTC");
    }

    #[test]
    fn what_has_no_site_stands_first() {
        let machine = |number: i32, name: &str, site: Option<u128>| Asset {
            id: AssetId(Uuid::from_u128(number.unsigned_abs().into())),
            number,
            key: name.into(),
            name: name.into(),
            line: String::new(),
            model: String::new(),
            site_id: site.map(|n| SiteId(Uuid::from_u128(n))),
            time_zone: "UTC".into(),
        };
        let rows = shown(vec![machine(1, "a", Some(1)), machine(2, "b", None), machine(3, "A", None)]);
        assert_eq!(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["A", "b", "a"]);
    }
}
