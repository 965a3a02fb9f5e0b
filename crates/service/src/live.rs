//! What an open page is told: snapshots of what it shows, and what changed from one to the next.

use std::collections::HashMap;
use std::hash::Hash;

use clarity_domain::error::AppError;
use clarity_domain::ids::{SupportGrantId, WorkspaceId};
use clarity_domain::role::{Permission, Role};
use clarity_domain::time::Micros;
use clarity_domain::view::Freshness;
use clarity_domain::view::live::{ChartPoint, LiveUpdate, StateChange, ValueChange};
use clarity_domain::view::overview::{AssetRow, Kpis, Overview, OverviewQuery};
use clarity_domain::view::sources::{SourceRow, SourcesSummary};
use clarity_runtime::clock::now_us;
use clarity_runtime::planted::planted;
use clarity_store::Sites;
pub use clarity_store::live::{Heard, LiveListener};

use crate::error::fault;
use crate::overview::Extent;
use crate::sources::read_sources;
use crate::support::live_grants;
use crate::{Seat, Services};

/// A page that can be followed.
#[derive(Clone, Debug, PartialEq)]
pub enum LivePage {
    Overview(OverviewQuery),
    Sources,
    /// The frame around a page that has nothing of its own to follow.
    Frame,
}

impl LivePage {
    /// The name of its events.
    pub const fn event(&self) -> &'static str {
        match self {
            Self::Overview(_) => "overview",
            Self::Sources => "sources",
            Self::Frame => "frame",
        }
    }
}

/// What is shared may be shared between members of the same workspace, role, sites and page, and nobody else.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LiveKey {
    workspace: WorkspaceId,
    role: Role,
    sites: Sites,
    page: String,
}

impl LiveKey {
    pub fn new(seat: &Seat, page: &LivePage) -> Self {
        // The text of all that the page asks for.
        let page = match page {
            LivePage::Overview(q) => format!("overview {:?} {:?} {:?} {}", q.range, q.metric, q.asset, q.page),
            LivePage::Sources => "sources".into(),
            LivePage::Frame => "frame".into(),
        };
        let sites = seat.scope.sites().clone();
        let mut key = Self { workspace: seat.scope.workspace_id(), role: seat.card.role, sites, page };
        if planted("a-stream-key-without-workspace") {
            key.workspace = WorkspaceId(uuid::Uuid::nil());
        }
        if planted("a-stream-key-without-role") {
            key.role = Role::Viewer;
        }
        if planted("a-stream-key-without-sites") {
            key.sites = Sites::Every;
        }
        key
    }

    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }
}

/// What a page shows at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    at: Micros,
    shown: Shown,
    /// Grants of support that are live.
    support: Vec<SupportGrantId>,
}

#[derive(Clone, Debug)]
enum Shown {
    Overview(Box<Overview>),
    Sources(Vec<SourceRow>, Box<SourcesSummary>),
    Frame,
}

impl Services {
    /// Word of changes in any workspace: ids, to be read again in a seat's scope.
    pub async fn listen_live(&self) -> Result<LiveListener, AppError> {
        self.app.listen_live().await.map_err(fault)
    }

    /// Reads what the page shows now, in the seat's workspace.
    pub async fn snapshot(&self, seat: &Seat, page: &LivePage) -> Result<Snapshot, AppError> {
        seat.may(Permission::View)?;
        match page {
            LivePage::Overview(query) => {
                let (overview, support) = self.read_overview(seat, query, Extent::Changes).await?;
                Ok(Snapshot { at: overview.as_of, shown: Shown::Overview(Box::new(overview)), support })
            }
            LivePage::Sources => {
                let at = now_us();
                let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
                let (rows, summary) = read_sources(&mut tx, seat, at).await?;
                let support = live_grants(&mut tx).await?;
                tx.commit().await.map_err(fault)?;
                Ok(Snapshot { at, shown: Shown::Sources(rows, Box::new(summary)), support })
            }
            LivePage::Frame => {
                let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
                let support = live_grants(&mut tx).await?;
                tx.commit().await.map_err(fault)?;
                Ok(Snapshot { at: now_us(), shown: Shown::Frame, support })
            }
        }
    }
}

impl Snapshot {
    /// Everything that can change, for a page that was read a moment ago.
    pub fn full(&self) -> LiveUpdate {
        self.since(None).unwrap_or_default()
    }

    /// What differs from `before`; `None` when nothing does.
    pub fn since(&self, before: Option<&Self>) -> Option<LiveUpdate> {
        let mut update = LiveUpdate { sent_at: self.at, ..LiveUpdate::default() };
        match (&self.shown, before.map(|b| &b.shown)) {
            (Shown::Overview(now), Some(Shown::Overview(then))) => overview(&mut update, now, Some(then)),
            (Shown::Overview(now), _) => overview(&mut update, now, None),
            (Shown::Sources(now, summary), Some(Shown::Sources(then, before))) => {
                update.sources = changed(now, then, |row| row.id, |row| row.clone());
                update.summary = (summary != before).then(|| summary.as_ref().clone());
            }
            (Shown::Sources(now, summary), _) => {
                update.sources.clone_from(now);
                update.summary = Some(summary.as_ref().clone());
            }
            (Shown::Frame, _) => {}
        }
        update.support = differs(&self.support, before.map(|b| &b.support));
        let empty = LiveUpdate { sent_at: self.at, ..LiveUpdate::default() };
        (before.is_none() || update != empty).then_some(update)
    }
}

fn overview(update: &mut LiveUpdate, now: &Overview, then: Option<&Overview>) {
    update.freshness = differs::<Freshness>(&now.freshness, then.map(|t| &t.freshness));
    update.kpis = differs::<Kpis>(&now.kpis, then.map(|t| &t.kpis));
    update.waiting = now.waiting.clone().filter(|_| then.is_none_or(|then| then.waiting != now.waiting));
    let before: HashMap<_, &AssetRow> =
        then.map_or_else(HashMap::new, |t| t.assets.iter().map(|r| (r.id, r)).collect());
    for row in &now.assets {
        let known = before.get(&row.id);
        let state = |r: &AssetRow| (r.state, r.state_label.clone(), r.state_reason.clone(), r.state_since);
        if let Some(since) = row.state_since.filter(|_| known.is_none_or(|k| state(k) != state(row))) {
            update.states.push(StateChange {
                asset_id: row.id,
                state: row.state,
                label: row.state_label.clone(),
                reason: row.state_reason.clone(),
                since,
            });
        }
        for latest in &row.latest {
            if let Some(at) = latest.at.filter(|_| known.is_none_or(|k| !k.latest.contains(latest))) {
                update.values.push(ValueChange {
                    asset_id: row.id,
                    metric: latest.metric.clone(),
                    value: latest.value,
                    at,
                });
            }
        }
    }
    update.points = changed(&points(now), &then.map(points).unwrap_or_default(), |p| (p.asset_id, p.at), Clone::clone);
}

/// The buckets of the chart's end.
fn points(overview: &Overview) -> Vec<ChartPoint> {
    let Some(chart) = &overview.chart else { return Vec::new() };
    let bucket = |i: usize| chart.from + i as i64 * chart.step_us;
    let of = |series: &clarity_domain::view::overview::Series| -> Vec<ChartPoint> {
        let values = series.values.iter().enumerate().filter(|(_, value)| value.is_some());
        values
            .map(|(i, value)| ChartPoint {
                metric: chart.metric.clone(),
                asset_id: series.asset_id,
                at: bucket(i),
                value: *value,
            })
            .collect()
    };
    chart.series.iter().flat_map(of).collect()
}

fn differs<T: Clone + PartialEq>(now: &T, then: Option<&T>) -> Option<T> {
    (then != Some(now)).then(|| now.clone())
}

/// The rows that are new or differ from the one with the same key.
fn changed<T: PartialEq, K: Hash + Eq>(now: &[T], then: &[T], key: impl Fn(&T) -> K, copy: impl Fn(&T) -> T) -> Vec<T> {
    let before: HashMap<K, &T> = then.iter().map(|row| (key(row), row)).collect();
    now.iter().filter(|row| before.get(&key(row)) != Some(row)).map(copy).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::ids::AssetId;
    use clarity_domain::state::StateCategory;
    use clarity_domain::truth::Truth;
    use clarity_domain::view::overview::{Chart, Latest, Series};

    fn page(at: Micros, value: f64, state: StateCategory) -> Snapshot {
        let id = AssetId(uuid::Uuid::from_u128(1));
        let overview = Overview {
            as_of: at,
            from: 0,
            to: at,
            freshness: Freshness { truth: Truth::Live, why: "well".into(), data_at: None, behind_ms: None },
            kpis: Kpis::default(),
            metrics: Vec::new(),
            chart: Some(Chart {
                metric: "t".into(),
                unit: None,
                from: 0,
                step_us: 10,
                series: vec![Series { asset_id: id, asset: "a".into(), values: vec![Some(1.0), None, Some(value)] }],
                assets_total: 1,
                hidden: false,
            }),
            timeline: Vec::new(),
            assets: vec![AssetRow {
                id,
                name: "a".into(),
                line: None,
                state,
                state_label: None,
                state_reason: None,
                state_since: Some(5),
                latest: vec![Latest {
                    metric: "t".into(),
                    unit: None,
                    value: Some(value),
                    at: Some(at),
                    hidden: false,
                }],
            }],
            assets_total: 1,
            assets_per_page: 25,
            waiting: None,
            sample: None,
            set_up: None,
        };
        Snapshot { at, shown: Shown::Overview(Box::new(overview)), support: Vec::new() }
    }

    #[test]
    fn a_grant_that_begins_or_ends_is_said_on_every_page() {
        let grant = SupportGrantId(uuid::Uuid::from_u128(7));
        let frame = |support: &[SupportGrantId]| Snapshot { at: 1, shown: Shown::Frame, support: support.to_vec() };
        assert_eq!(frame(&[]).full().support, Some(Vec::new()), "a page that says otherwise is told");
        let begun = frame(&[grant]).since(Some(&frame(&[]))).unwrap();
        assert_eq!(begun.support, Some(vec![grant]));
        assert_eq!(frame(&[]).since(Some(&frame(&[grant]))).unwrap().support, Some(Vec::new()));
        assert!(frame(&[grant]).since(Some(&frame(&[grant]))).is_none());
        let (before, mut after) = (page(1, 2.0, StateCategory::Running), page(1, 2.0, StateCategory::Running));
        after.support = vec![grant];
        assert_eq!(after.since(Some(&before)).unwrap().support, Some(vec![grant]));
    }

    #[test]
    fn the_first_update_has_everything_and_the_next_only_what_changed() {
        let (a, b) = (page(1, 2.0, StateCategory::Running), page(2, 3.0, StateCategory::Running));
        let full = a.full();
        assert!(full.freshness.is_some() && full.kpis.is_some());
        assert_eq!((full.values.len(), full.states.len(), full.points.len()), (1, 1, 2), "a gap is no point");
        let next = b.since(Some(&a)).unwrap();
        assert!(next.freshness.is_none() && next.kpis.is_none() && next.states.is_empty());
        assert_eq!(next.points.iter().map(|p| (p.at, p.value)).collect::<Vec<_>>(), [(20, Some(3.0))]);
        assert_eq!(next.values[0].value, Some(3.0));
        assert!(a.since(Some(&a)).is_none(), "nothing changed, nothing is sent");
        let down = page(1, 2.0, StateCategory::Down);
        assert_eq!(down.since(Some(&a)).unwrap().states[0].state, StateCategory::Down);
    }
}
