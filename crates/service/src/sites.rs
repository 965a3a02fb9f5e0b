//! The sites of a workspace and which machines are at them: what members who are limited to sites see follows from it.
//!
//! Machines get their site from what sources say of them, or here. A source that says it later is believed again: it is nearer
//! to the machine.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{AssetId, SiteId};
use clarity_domain::role::Permission;
use clarity_domain::view::sites::{MachinePlace, MachineRow, SiteCard, SitesPage, SitesQuery};
use clarity_store::WorkspaceTx;
use clarity_store::asset::{self, Asset};
use clarity_store::audit::{self, Entry, Object};
use clarity_store::site::{self, Site};
use serde_json::json;

use crate::error::{fault, missing};
use crate::frame::small;
use crate::masked::Masks;
use crate::{Seat, Services};

/// Machines of a page.
const PAGE: usize = 50;
/// Of what is looked for, so much is used.
const LONGEST: usize = 200;

impl Services {
    /// A page of the machines with where they are, and the sites to choose from.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn sites(&self, seat: &Seat, query: &SitesQuery) -> Result<SitesPage, AppError> {
        self.permit(seat, Permission::ManageSources, Act::ReadSites, Object::default()).await?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let sites = site::list(&mut tx).await.map_err(fault)?;
        let masks = Masks::of(&mut tx, seat, &self.settings.secrets).await.map_err(fault)?;
        let machines = masks.assets(asset::list(&mut tx).await.map_err(fault)?);
        tx.commit().await.map_err(fault)?;
        let sites = sites.into_iter().map(|site| SiteCard { id: site.id, name: site.name }).collect();
        let without_site = small(machines.iter().filter(|machine| machine.site_id.is_none()).count() as i64);
        let machines_total = small(machines.len() as i64);
        let Turned { machines, found, skipped, before, after } = turned(machines, query);
        Ok(SitesPage { sites, machines, found, skipped, before, after, machines_total, without_site })
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
        let machine = asset::find(&mut tx, id).await.map_err(fault)?;
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

/// A page of the machines.
struct Turned {
    machines: Vec<MachineRow>,
    found: u32,
    skipped: u32,
    before: Option<MachinePlace>,
    after: Option<MachinePlace>,
}

/// Those that fit, where the query says: without a site first, whom somebody has to place, then by name. Names are looked
/// through as the seat sees them, so that what is masked is not found by its clear value.
fn turned(machines: Vec<Asset>, query: &SitesQuery) -> Turned {
    let key_at = |place: MachinePlace| {
        // A machine that is gone leaves no place: the list begins anew.
        let machine = machines.iter().find(|machine| machine.number == place.number)?;
        Some((place.placed, machine.name.to_lowercase(), machine.number))
    };
    let (before, after) = (query.before.and_then(key_at), query.after.and_then(key_at));
    let wanted = query.find.as_deref().map(|text| text.chars().take(LONGEST).collect::<String>().to_lowercase());
    let fits = |text: &str| wanted.as_deref().is_none_or(|wanted| text.to_lowercase().contains(wanted));
    let mut keyed: Vec<_> = machines
        .into_iter()
        .filter(|machine| fits(&machine.name) || fits(&machine.key))
        .map(|machine| ((machine.site_id.is_some(), machine.name.to_lowercase(), machine.number), machine))
        .collect();
    keyed.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let start = match (&before, &after) {
        (Some(before), _) => keyed.partition_point(|(key, _)| key < before).saturating_sub(PAGE),
        (None, Some(after)) => keyed.partition_point(|(key, _)| key <= after),
        (None, None) => 0,
    };
    // Past the end, where the last ones moved up meanwhile, is the last page.
    let start = if start < keyed.len() { start } else { keyed.len().saturating_sub(PAGE) };
    let end = (start + PAGE).min(keyed.len());
    let place =
        |at: usize| keyed.get(at).map(|((placed, _, number), _)| MachinePlace { placed: *placed, number: *number });
    let before = if start > 0 { place(start) } else { None };
    let after = if end < keyed.len() { place(end.saturating_sub(1)) } else { None };
    let (found, skipped) = (small(keyed.len() as i64), small(start as i64));
    let machines = keyed.drain(start..end).map(|(_, machine)| shown(machine)).collect();
    Turned { machines, found, skipped, before, after }
}

fn shown(machine: Asset) -> MachineRow {
    MachineRow { id: machine.id, name: machine.name, key: machine.key, site: machine.site_id }
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

    fn machine(number: i32, name: &str, site: Option<u128>) -> Asset {
        Asset {
            id: AssetId(Uuid::from_u128(number.unsigned_abs().into())),
            number,
            key: format!("K{number}"),
            name: name.into(),
            line: String::new(),
            model: String::new(),
            site_id: site.map(|n| SiteId(Uuid::from_u128(n))),
            time_zone: "UTC".into(),
        }
    }

    fn names(page: &Turned) -> Vec<&str> {
        page.machines.iter().map(|row| row.name.as_str()).collect()
    }

    #[test]
    fn what_has_no_site_stands_first() {
        let page = turned(
            vec![machine(1, "a", Some(1)), machine(2, "b", None), machine(3, "A", None)],
            &SitesQuery::default(),
        );
        assert_eq!(names(&page), ["A", "b", "a"]);
        assert_eq!((page.found, page.skipped, page.before, page.after), (3, 0, None, None));
    }

    #[test]
    fn every_machine_is_on_one_page_forth_and_back() {
        let all = || (1..=120).map(|n| machine(n, &format!("Press {n:03}"), (n > 70).then_some(1))).collect::<Vec<_>>();
        let mut query = SitesQuery::default();
        let mut seen = Vec::new();
        let mut pages = Vec::new();
        loop {
            let page = turned(all(), &query);
            assert_eq!(page.skipped as usize, seen.len());
            seen.extend(names(&page).into_iter().map(str::to_owned));
            query = SitesQuery { after: page.after, ..SitesQuery::default() };
            pages.push(page);
            if query.after.is_none() {
                break;
            }
        }
        assert_eq!((seen.len(), pages.len()), (120, 3));
        assert!(seen.is_sorted(), "{seen:?}");
        let back = turned(all(), &SitesQuery { before: pages[2].before, ..SitesQuery::default() });
        assert_eq!(names(&back), names(&pages[1]));
        assert_eq!(turned(all(), &SitesQuery { before: back.before, ..SitesQuery::default() }).before, None);
    }

    #[test]
    fn a_place_stays_when_its_machine_moves_and_what_is_looked_for_is_found() {
        let mut all: Vec<Asset> = (1..=60).map(|n| machine(n, &format!("Press {n:03}"), None)).collect();
        let place = turned(all.clone(), &SitesQuery::default()).after;
        assert_eq!(place, Some(MachinePlace { placed: false, number: 50 }));
        // The last one of the page is put at a site: the next page begins after where it was.
        all[49].site_id = Some(SiteId(Uuid::from_u128(1)));
        let on = SitesQuery { after: place, ..SitesQuery::default() };
        assert_eq!(names(&turned(all.clone(), &on)).first(), Some(&"Press 051"));
        all.remove(49);
        assert_eq!(turned(all.clone(), &on).skipped, 0, "of a place that is gone, the beginning");
        for (find, found) in [("PRESS 05", 9), ("k7", 1), ("nothing", 0), ("", 59)] {
            let page = turned(all.clone(), &SitesQuery { find: Some(find.into()), ..SitesQuery::default() });
            assert_eq!(page.found, found, "{find:?}");
        }
    }
}
