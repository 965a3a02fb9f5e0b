//! The Overview of a workspace: figures, one chart, the state timeline and the machines, all of one moment.
//!
//! One `repeatable read` transaction with a fixed number of round trips, whatever the number of machines. The live
//! stream reads through the same function, so that what it sends can be compared with what the page was given.

pub(crate) mod assets;
mod chart;
pub(crate) mod figures;

use clarity_domain::error::AppError;
use clarity_domain::ids::{AssetId, SupportGrantId};
use clarity_domain::role::Permission;
use clarity_domain::time::{HOUR, Micros};
use clarity_domain::truth::Truth;
use clarity_domain::view::Freshness;
use clarity_domain::view::overview::{Kpis, Overview, OverviewQuery};
use clarity_domain::view::range::TimeRange;
use clarity_runtime::clock::now_us;
use clarity_store::chunk::{self, Latest};
use clarity_store::source_view::{self, SourceView};
use clarity_store::{WorkspaceTx, asset, metric, overview, state};

use crate::error::fault;
use crate::frame::small;
use crate::masked::Masks;
use crate::support::live_grants;
use crate::{Seat, Services, day, sample, set_up, sources, status, waiting};

/// Rows of the table of machines.
const PER_PAGE: usize = 25;
/// Machines that a live stream follows: beyond them, only those of its page.
const FOLLOWED: usize = 200;

/// How much to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// A page as it opens.
    Page,
    /// What can have changed: the end of the chart, no timeline, more machines.
    Changes,
}

impl Services {
    /// # Errors
    /// `NotFound` when the query names a machine that is not there.
    pub async fn overview(&self, seat: &Seat, query: &OverviewQuery) -> Result<Overview, AppError> {
        seat.may(Permission::View)?;
        let (overview, _) = self.read_overview(seat, query, Extent::Page).await?;
        Ok(overview)
    }

    /// With the grants of support that are live, where changes are read.
    pub(crate) async fn read_overview(
        &self,
        seat: &Seat,
        query: &OverviewQuery,
        extent: Extent,
    ) -> Result<(Overview, Vec<SupportGrantId>), AppError> {
        let now = now_us();
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let masks = Masks::of(&mut tx, seat, &self.settings.secrets).await.map_err(fault)?;
        let (mut overview, sources) = read(&mut tx, seat, &masks, query, extent, now).await?;
        let may_set_up = seat.role().may(Permission::ManageSources);
        if let Some(waiting) = &mut overview.waiting {
            waiting.may_set_up = may_set_up;
        }
        let bare = overview.waiting.as_ref().is_some_and(|waiting| !waiting.cause.has_events());
        if extent == Extent::Page && (may_set_up || bare) {
            let said = set_up::read(&mut tx, sources).await.map_err(fault)?;
            overview.set_up = said.to_remind().filter(|_| may_set_up);
            if bare && said.shows_sample {
                overview.sample = sample::overview(day::start(now, &seat.time_zone), now).map(Box::new);
            }
        }
        let support = match extent {
            // The frame of a page is read beside it.
            Extent::Page => Vec::new(),
            Extent::Changes => live_grants(&mut tx).await?,
        };
        tx.commit().await.map_err(fault)?;
        Ok((overview, support))
    }
}

/// The page, and how many sources there are.
async fn read(
    tx: &mut WorkspaceTx,
    seat: &Seat,
    masks: &Masks,
    query: &OverviewQuery,
    extent: Extent,
    now: Micros,
) -> Result<(Overview, i64), AppError> {
    let midnight = day::start(now, &seat.time_zone);
    let today = masks.intervals(state::list_intervals(tx, midnight, now).await.map_err(fault)?);
    let range = match query.range {
        Some(range) => range,
        // A state that began before settles it without a question. Of a few sites' machines it would be a walk through everybody's
        // rows.
        None if !seat.sees_every_site() || today.iter().any(|state| state.from < now - HOUR) => TimeRange::default(),
        None => {
            let began = overview::began_within_an_hour(tx, now).await.map_err(fault)?;
            began.map_or_else(TimeRange::default, |began| TimeRange::for_age(now - began))
        }
    };
    let (from, to) = range.bounds(now);
    let views = source_view::list(tx, now).await.map_err(fault)?;
    let machines = masks.assets(asset::list(tx).await.map_err(fault)?);
    let metrics = masks.metrics(metric::list(tx).await.map_err(fault)?);
    let latest = masks.latest(chunk::latest(tx).await.map_err(fault)?, &metrics);
    let earlier = if extent == Extent::Page && (from < midnight || to < now) {
        Some(masks.intervals(state::list_intervals(tx, from, to).await.map_err(fault)?))
    } else {
        None
    };

    let only = query.asset.map(|id| find_machine(&machines, id)).transpose()?;
    let shown: Vec<&asset::Asset> = machines.iter().filter(|m| only.is_none_or(|n| n == m.number)).collect();
    let choices = chart::choices(&metrics, &latest, masks);
    let chosen = chart::choose(&choices, query.metric.as_deref());
    let chart = match chosen {
        Some(chosen) => chart::read(tx, chosen, &shown, &latest, (from, to), extent).await.map_err(fault)?,
        None => None,
    };

    let columns: Vec<&chart::Choice> = chosen.into_iter().chain(choices.iter().find(|c| Some(*c) != chosen)).collect();
    let mut rows = assets::rows(&shown, &today, &latest, &columns);
    let total = rows.len();
    let everything = extent == Extent::Changes && total <= FOLLOWED;
    if !everything {
        let first = usize::try_from(query.page).unwrap_or(0).saturating_mul(PER_PAGE).min(total);
        rows.drain(..first);
        rows.truncate(PER_PAGE);
    }
    let timeline = match extent {
        Extent::Page => assets::timeline(&rows, &shown, earlier.as_deref().unwrap_or(&today), from, to),
        Extent::Changes => Vec::new(),
    };
    let newest = newest(&latest, now);
    let waiting = match (machines.is_empty(), seat.sees_every_site()) {
        (false, _) => None,
        (true, true) => Some(Box::new(waiting::read(tx, &views, now).await?)),
        (true, false) => Some(Box::new(waiting::for_own_sites())),
    };
    let overview = Overview {
        as_of: now,
        from,
        to,
        freshness: overall(&views, newest, now),
        kpis: kpis(&views, &machines, &today, newest, midnight, now),
        metrics: choices.iter().map(chart::Choice::show).collect(),
        chart,
        timeline,
        assets: rows,
        assets_total: small(total as i64),
        assets_per_page: PER_PAGE as u32,
        waiting,
        sample: None,
        set_up: None,
    };
    Ok((overview, views.len() as i64))
}

fn find_machine(machines: &[asset::Asset], id: AssetId) -> Result<i32, AppError> {
    machines.iter().find(|m| m.id == id).map(|m| m.number).ok_or_else(|| AppError::not_found("machine"))
}

/// The newest sample that is not from the future: its own time and when it was received.
fn newest(latest: &[Latest], now: Micros) -> Option<(Micros, Micros)> {
    latest.iter().filter(|l| l.at <= now + day::AHEAD).map(|l| (l.at, l.received_at)).max()
}

/// The worst word of all sources, with the source's name where there are several.
fn overall(views: &[SourceView], newest: Option<(Micros, Micros)>, now: Micros) -> Freshness {
    let worst = views
        .iter()
        .map(|v| (sources::freshness(v, &status::read(&v.status), now), v.name.as_str()))
        .max_by_key(|(freshness, _)| freshness.truth);
    let (truth, why) = match worst {
        // A source that was connected once stays in the list.
        None => return Freshness::unconnected(),
        Some((worst, _)) if views.len() == 1 || worst.truth == Truth::Live => (worst.truth, worst.why),
        Some((worst, name)) => (worst.truth, format!("{name}: {}", worst.why)),
    };
    Freshness {
        truth,
        why,
        data_at: newest.map(|n| n.0),
        behind_ms: newest.map(|(at, received)| ((received - at) / 1000).max(0)),
    }
}

fn kpis(
    views: &[SourceView],
    machines: &[asset::Asset],
    today: &[state::Interval],
    newest: Option<(Micros, Micros)>,
    midnight: Micros,
    now: Micros,
) -> Kpis {
    let day = figures::day(today, midnight, now);
    let lines_of_day = figures::lines(today, midnight, now);
    let seen = |v: &SourceView| sources::freshness(v, &status::read(&v.status), now).truth != Truth::Blind;
    let sees_all = !views.is_empty() && views.iter().all(seen);
    let lines: Vec<Vec<Option<f64>>> = views.iter().map(|v| sources::per_minute(&v.minutes, now, seen(v))).collect();
    Kpis {
        machines_running: small(figures::running(today) as i64),
        machines_total: small(machines.len() as i64),
        availability_today: day.availability(),
        downtime_today_s: day.downtime_s(),
        events_per_s: sees_all.then(|| views.iter().map(|v| sources::rate(&v.minutes, now)).sum()),
        events_per_minute: figures::sum_lines(&lines),
        running_line: lines_of_day.running,
        availability_line: lines_of_day.availability,
        down_line: lines_of_day.down,
        data_age_ms: newest.map(|(at, _)| ((now - at) / 1000).max(0)),
    }
}
