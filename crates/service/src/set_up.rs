//! Setting a workspace up: place and time zone, the first site, colleagues, the first source. Each step is a small act of
//! its own that may be skipped and done later; nothing else of the product waits for one.

use std::collections::HashMap;

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::role::Permission;
use clarity_domain::view::set_up::{SetUp, SetUpStep, StepState};
use clarity_store::audit::{self, Entry, Object};
use clarity_store::auth::invitation;
use clarity_store::auth::workspace::{self, Place};
use clarity_store::{StoreError, WorkspaceTx, overview, set_up as store, site};
use jiff::tz::{self, TimeZone};
use serde_json::json;

use crate::error::fault;
use crate::sign_up::checked_name;
use crate::{Seat, Services};

/// As the table has it.
const LONGEST_REGION: usize = 60;
const SKIPPED: &str = "skipped";
const DONE: &str = "done";
/// Rows beside the steps: what the Overview shows.
const REMINDER: &str = "reminder";
const SAMPLE: &str = "sample";

/// What was said of the set-up, and what follows from what is there.
#[derive(Debug, Default)]
pub(crate) struct Said {
    states: [StepState; 4],
    pub reminds: bool,
    pub shows_sample: bool,
}

impl Said {
    /// How many steps are over, while somebody is to be reminded of the others.
    pub fn to_remind(&self) -> Option<u32> {
        let over = self.states.iter().filter(|state| **state != StepState::Open).count();
        (self.reminds && over < self.states.len()).then_some(over as u32)
    }
}

/// `sources`: how many the workspace has. With one, the last step is done whoever did it.
pub(crate) async fn read(tx: &mut WorkspaceTx, sources: i64) -> Result<Said, StoreError> {
    let said: HashMap<String, String> = store::list(tx).await?.into_iter().collect();
    let state = |step: SetUpStep| match said.get(step.as_str()).map(String::as_str) {
        _ if step == SetUpStep::Source && sources > 0 => StepState::Done,
        Some(DONE) => StepState::Done,
        Some(SKIPPED) => StepState::Skipped,
        _ => StepState::Open,
    };
    let shows = |what: &str| said.get(what).map(String::as_str) != Some(SKIPPED);
    Ok(Said { states: SetUpStep::ALL.map(state), reminds: shows(REMINDER), shows_sample: shows(SAMPLE) })
}

impl Services {
    /// The page of the set-up.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn set_up(&self, seat: &Seat) -> Result<SetUp, AppError> {
        self.permit_set_up(seat).await?;
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let place = workspace::get_place(&mut tx, &seat.scope).await.map_err(fault)?;
        let open = invitation::list_open(&mut tx, &seat.scope).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let counts = overview::counts(&mut tx).await.map_err(fault)?;
        let said = read(&mut tx, counts.sources).await.map_err(fault)?;
        let first = site::find_first(&mut tx).await.map_err(fault)?;
        let fixed = site::has_days(&mut tx).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let (site, site_zone) =
            first.map_or_else(|| (seat.card.name.clone(), place.time_zone.clone()), |site| (site.name, site.time_zone));
        Ok(SetUp {
            role: seat.role(),
            name: seat.card.name.clone(),
            region: place.region,
            time_zone: place.time_zone,
            site,
            site_zone,
            site_zone_fixed: fixed,
            zones: zones(),
            states: said.states,
            invited: open.into_iter().map(|invitation| invitation.email).collect(),
            reminds: said.reminds,
        })
    }

    /// Says where the workspace is. Its days (figures since midnight, the audit log's filter) are cut by this time zone from
    /// now on. The first site goes with it until it has been named itself, or has days.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` at `region` or `time_zone`.
    pub async fn set_place(&self, seat: &Seat, region: &str, time_zone: &str) -> Result<(), AppError> {
        self.permit_set_up(seat).await?;
        let place = Place { region: checked_region(region)?, time_zone: checked_zone(time_zone)? };
        let id = seat.card.id.to_string();
        let object = Object { kind: "workspace", id: &id, name: &seat.card.name };
        let mut auth = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let before = workspace::get_place(&mut auth, &seat.scope).await.map_err(fault)?;
        workspace::set_place(&mut auth, &seat.scope, &place).await.map_err(fault)?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let said = read(&mut tx, 0).await.map_err(fault)?;
        let named = said.states[SetUpStep::Site as usize] == StepState::Done;
        if !named
            && let Some(first) = site::find_first(&mut tx).await.map_err(fault)?
            && !site::has_days(&mut tx).await.map_err(fault)?
        {
            site::update(&mut tx, first.id, &first.name, &place.time_zone).await.map_err(fault)?;
        }
        store::note(&mut tx, SetUpStep::Place.as_str(), DONE, seat.user_id).await.map_err(fault)?;
        let entry = Entry {
            before: Some(json!({ "region": before.region, "time_zone": before.time_zone })),
            after: Some(json!({ "region": place.region, "time_zone": place.time_zone })),
            ..seat.entry(Act::SetUpWorkspace, object)
        };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        auth.commit().await.map_err(fault)
    }

    /// Names the first site, and says its time zone: machines that no site is known of are there.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` at `name` or `time_zone`; `Conflict` for another time zone once a day was cut by the old one.
    pub async fn set_first_site(&self, seat: &Seat, name: &str, time_zone: &str) -> Result<(), AppError> {
        let object = Object { kind: "site", ..Object::default() };
        self.permit(seat, Permission::ManageSources, Act::SetSite, object).await?;
        let name = checked_name("name", "the site", name)?;
        let zone = checked_zone(time_zone)?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let first = site::find_first(&mut tx).await.map_err(fault)?;
        let taken = |error: StoreError| match error {
            StoreError::Conflict(_) => AppError::invalid("name", "Another site has this name already."),
            other => fault(other),
        };
        let id = match &first {
            Some(site) => {
                if site.time_zone != zone && site::has_days(&mut tx).await.map_err(fault)? {
                    return Err(AppError::new(
                        ErrorCode::Conflict,
                        format!(
                            "Days of machines were cut at midnight in {} already, so the site's time zone stays. Its name can be \
                             changed.",
                            site.time_zone
                        ),
                    ));
                }
                site::update(&mut tx, site.id, &name, &zone).await.map_err(taken)?;
                site.id
            }
            None => site::insert(&mut tx, &name, &zone).await.map_err(taken)?,
        };
        store::note(&mut tx, SetUpStep::Site.as_str(), DONE, seat.user_id).await.map_err(fault)?;
        let id = id.to_string();
        let entry = Entry {
            before: first.map(|site| json!({ "name": site.name, "time_zone": site.time_zone })),
            after: Some(json!({ "name": name, "time_zone": zone })),
            ..seat.entry(Act::SetSite, Object { id: &id, name: &name, ..object })
        };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    /// Leaves a step for later. One that is done stays done.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn skip_step(&self, seat: &Seat, step: SetUpStep) -> Result<(), AppError> {
        self.permit_set_up(seat).await?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        if read(&mut tx, 0).await.map_err(fault)?.states[step as usize] == StepState::Done {
            return Ok(());
        }
        say(&mut tx, seat, step.as_str(), SKIPPED).await?;
        tx.commit().await.map_err(fault)
    }

    /// The Overview names the set-up no more.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn dismiss_set_up(&self, seat: &Seat) -> Result<(), AppError> {
        self.permit_set_up(seat).await?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        say(&mut tx, seat, REMINDER, SKIPPED).await?;
        tx.commit().await.map_err(fault)
    }

    /// Shows the sample data of a workspace without an event, or hides it, for all its members.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn show_sample(&self, seat: &Seat, show: bool) -> Result<(), AppError> {
        self.permit_set_up(seat).await?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        say(&mut tx, seat, SAMPLE, if show { DONE } else { SKIPPED }).await?;
        tx.commit().await.map_err(fault)
    }

    /// Somebody was invited, by whichever page.
    pub(crate) async fn note_invited(&self, seat: &Seat) -> Result<(), AppError> {
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        store::note(&mut tx, SetUpStep::Colleagues.as_str(), DONE, seat.user_id).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }

    async fn permit_set_up(&self, seat: &Seat) -> Result<(), AppError> {
        let object = Object { kind: "set_up", ..Object::default() };
        self.permit(seat, Permission::ManageSources, Act::SetUpWorkspace, object).await
    }
}

/// Writes a word on a step, here and into the audit log.
async fn say(tx: &mut WorkspaceTx, seat: &Seat, step: &str, outcome: &str) -> Result<(), AppError> {
    store::note(tx, step, outcome, seat.user_id).await.map_err(fault)?;
    let object = Object { kind: "set_up", id: step, name: "" };
    let entry = Entry { after: Some(json!({ step: outcome })), ..seat.entry(Act::SetUpWorkspace, object) };
    audit::record(tx, &entry).await.map_err(fault)
}

/// Of places, not of offsets; by name.
pub(crate) fn zones() -> Vec<String> {
    const NO_PLACES: [&str; 5] = ["Etc/", "posix/", "right/", "SystemV/", "US/"];
    let names = tz::db().available().map(|name| name.as_str().to_owned());
    let mut zones: Vec<String> =
        names.filter(|name| name.contains('/') && !NO_PLACES.iter().any(|start| name.starts_with(start))).collect();
    zones.push("UTC".into());
    zones.sort_unstable();
    zones.dedup();
    zones
}

/// The zone's name as the list has it.
pub(crate) fn checked_zone(text: &str) -> Result<String, AppError> {
    let found = TimeZone::get(text.trim()).ok();
    let name = found.as_ref().and_then(TimeZone::iana_name).map(str::to_owned);
    name.ok_or_else(|| AppError::invalid("time_zone", "Choose a time zone from the list, such as Europe/Stockholm."))
}

fn checked_region(text: &str) -> Result<String, AppError> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    let too_long = || AppError::invalid("region", "Use at most 60 visible characters.");
    let text = checked_name("region", "the region", text).map_err(|_| too_long())?;
    if text.chars().count() > LONGEST_REGION { Err(too_long()) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_one_that_the_server_knows() {
        assert_eq!(checked_zone(" europe/stockholm ").unwrap(), "Europe/Stockholm");
        assert_eq!(checked_zone("UTC").unwrap(), "UTC");
        for wrong in ["", "Nowhere/Else", "+02:00", "../etc/passwd", "Europe/Stockholm\0"] {
            assert_eq!(checked_zone(wrong).unwrap_err().field.as_deref(), Some("time_zone"), "{wrong:?}");
        }
        let zones = zones();
        assert!(zones.len() > 300 && zones.iter().any(|zone| zone == "America/Chicago"), "{}", zones.len());
        assert!(zones.iter().all(|zone| checked_zone(zone).is_ok()));
    }

    #[test]
    fn a_region_may_be_left_out() {
        assert_eq!(checked_region("  ").unwrap(), "");
        assert_eq!(checked_region(" Northern Europe ").unwrap(), "Northern Europe");
        for wrong in ["x".repeat(61), "a\u{202e}b".to_owned()] {
            assert_eq!(checked_region(&wrong).unwrap_err().field.as_deref(), Some("region"));
        }
    }

    #[test]
    fn one_is_reminded_until_all_is_over_or_nobody_wants_to_be() {
        use StepState::{Done, Open, Skipped};
        let said = |states, reminds| Said { states, reminds, shows_sample: true }.to_remind();
        assert_eq!(said([Done, Skipped, Open, Open], true), Some(2));
        assert_eq!(said([Open; 4], true), Some(0));
        assert_eq!(said([Done, Skipped, Done, Done], true), None);
        assert_eq!(said([Open; 4], false), None);
    }
}
