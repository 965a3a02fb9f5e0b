//! What a workspace without an event is shown instead of nothing: the Overview of a rig and two engines whose data was
//! recorded elsewhere, replayed by the clock. It is in no table: it is made when a page is read, and nothing but that page
//! has it.
//!
//! Nothing is invented. Every value is one of the recording (`data/README.md` says which), and so is every state of the rig;
//! the engines' recording has no states, so their state is unknown. What is ours is when it happens: the time of the page.

use std::sync::LazyLock;

use clarity_domain::ids::{AssetId, StreamId};
use clarity_domain::state::StateCategory;
use clarity_domain::time::{HOUR, MINUTE, Micros, SECOND, bucket_start};
use clarity_domain::truth::Truth;
use clarity_domain::view::Freshness;
use clarity_domain::view::overview::{
    AssetRow, Chart, Kpis, Latest, MetricChoice, Overview, Series, StateInterval, TimelineRow,
};
use clarity_store::state::Interval;
use serde::Deserialize;
use uuid::Uuid;

use crate::overview::figures;

const RECORDING: &str = include_str!("../data/sample.json");

/// A cycle of an engine stays for so long.
const ENGINE_STEP: Micros = 30 * SECOND;
/// The rig's temperature is taken so often.
const RIG_STEP: Micros = 10 * SECOND;
/// A load cycle of the rig.
const RIG_CYCLE: Micros = MINUTE;

const RIG: i32 = 1;
const NAMES: [&str; 3] = ["Hydraulic rig", "Engine 1", "Engine 2"];
const ENGINE_METRIC: (&str, &str) = ("LPC outlet temperature", "°R");
const RIG_METRIC: (&str, &str) = ("Oil temperature TS1", "°C");

#[derive(Debug, Deserialize)]
struct Recording {
    /// Load cycles of the rig that are here.
    cycles: i64,
    /// Every tenth second.
    rig_temperature: Vec<f64>,
    /// From which cycle on, the state, and its reason.
    rig_states: Vec<(i64, String, Option<String>)>,
    /// Per engine, per cycle of its life.
    engine_temperatures: Vec<Vec<f64>>,
}

/// `None` when the file is none of ours: a test reads it.
static READ: LazyLock<Option<Recording>> = LazyLock::new(|| serde_json::from_str(RECORDING).ok());

/// The last hour of the recording as if it ended now. `midnight`: of the workspace's day.
pub(crate) fn overview(midnight: Micros, now: Micros) -> Option<Overview> {
    let recording = READ.as_ref()?;
    let from = now - HOUR;
    // The day so far for its figures, and the hour for the timeline.
    let states = recording.states(midnight.min(from), now);
    let day = figures::day(&states, midnight, now);
    let lines = figures::lines(&states, midnight, now);
    let rows = recording.assets(&states, now);
    let newest = rows.iter().flat_map(|row| &row.latest).filter_map(|latest| latest.at).max();
    let per_minute = (MINUTE / RIG_STEP + 2 * MINUTE / ENGINE_STEP) as f64;
    let chart = recording.chart(from, now);
    Some(Overview {
        as_of: now,
        from,
        to: now,
        freshness: Freshness {
            truth: Truth::Quiet,
            why: "recorded data of other machines".into(),
            data_at: newest,
            behind_ms: None,
        },
        kpis: Kpis {
            machines_running: figures::running(&states) as u32,
            machines_total: NAMES.len() as u32,
            availability_today: day.availability(),
            downtime_today_s: day.downtime_s(),
            events_per_s: Some(per_minute / 60.0),
            events_per_minute: vec![Some(per_minute); 60],
            running_line: lines.running,
            availability_line: lines.availability,
            down_line: lines.down,
            data_age_ms: newest.map(|at| (now - at) / 1000),
        },
        metrics: vec![MetricChoice { name: ENGINE_METRIC.0.into(), unit: Some(ENGINE_METRIC.1.into()), assets: 2 }],
        chart: Some(chart),
        timeline: timeline(&states, from),
        assets_total: rows.len() as u32,
        assets_per_page: rows.len() as u32,
        assets: rows,
        waiting: None,
        sample: None,
        set_up: None,
    })
}

/// Ids that no machine of a workspace has.
fn id(number: i32) -> AssetId {
    AssetId(Uuid::from_u128(number.unsigned_abs().into()))
}

/// The place in a recording of so many parts that are `step` long, again and again.
fn place(at: Micros, step: Micros, parts: usize) -> usize {
    usize::try_from(at.div_euclid(step).rem_euclid(parts.max(1) as i64)).unwrap_or(0)
}

impl Recording {
    fn engine(&self, engine: usize, at: Micros) -> Option<f64> {
        let life = self.engine_temperatures.get(engine)?;
        life.get(place(at, ENGINE_STEP, life.len())).copied()
    }

    fn rig(&self, at: Micros) -> Option<f64> {
        self.rig_temperature.get(place(at, RIG_STEP, self.rig_temperature.len())).copied()
    }

    /// Of the rig, in the cycle that `at` falls on: which of its states.
    fn rig_state(&self, at: Micros) -> Option<(&str, Option<&str>)> {
        let cycle = place(at, RIG_CYCLE, usize::try_from(self.cycles).unwrap_or(1)) as i64;
        let known = self.rig_states.iter().rev().find(|(from, ..)| *from <= cycle)?;
        Some((known.1.as_str(), known.2.as_deref()))
    }

    /// The rig's states, the last one open.
    fn states(&self, from: Micros, now: Micros) -> Vec<Interval> {
        let mut states: Vec<Interval> = Vec::new();
        let mut at = bucket_start(from, RIG_CYCLE);
        while at <= now {
            if let Some((state, reason)) = self.rig_state(at) {
                let same = states.last().is_some_and(|s| s.state == state && s.reason.as_deref() == reason);
                if !same {
                    if let Some(last) = states.last_mut() {
                        last.to = Some(at);
                    }
                    states.push(Interval {
                        stream_id: StreamId(Uuid::nil()),
                        asset_number: RIG,
                        from: at,
                        to: None,
                        state: state.to_owned(),
                        category: StateCategory::guess(state),
                        reason: reason.map(str::to_owned),
                    });
                }
            }
            at += RIG_CYCLE;
        }
        states
    }

    /// Values of the engines, a bucket a cycle: no mean of anything.
    fn chart(&self, from: Micros, to: Micros) -> Chart {
        let from = bucket_start(from, ENGINE_STEP);
        let series = (0..2_usize).map(|engine| Series {
            asset_id: id(engine as i32 + 2),
            asset: NAMES[engine + 1].into(),
            values: (0..(to - from) / ENGINE_STEP).map(|n| self.engine(engine, from + n * ENGINE_STEP)).collect(),
        });
        Chart {
            metric: ENGINE_METRIC.0.into(),
            unit: Some(ENGINE_METRIC.1.into()),
            from,
            step_us: ENGINE_STEP,
            series: series.collect(),
            assets_total: 2,
            hidden: false,
        }
    }

    /// The rig first, since something is known of its state.
    fn assets(&self, states: &[Interval], now: Micros) -> Vec<AssetRow> {
        let latest = |(metric, unit): (&str, &str), value: Option<f64>, step: Micros| Latest {
            metric: metric.into(),
            unit: Some(unit.into()),
            value,
            at: value.map(|_| bucket_start(now, step)),
            hidden: false,
        };
        let open = states.last();
        let row = |machine: usize| {
            let state = open.filter(|_| machine == 0);
            let engine = machine.checked_sub(1).and_then(|engine| self.engine(engine, now));
            let rig = if machine == 0 { self.rig(now) } else { None };
            AssetRow {
                id: id(machine as i32 + 1),
                name: NAMES[machine].into(),
                line: None,
                state: state.map_or(StateCategory::Unknown, |s| s.category),
                state_label: None,
                state_reason: state.and_then(|s| s.reason.clone()),
                state_since: state.map(|s| s.from),
                latest: vec![latest(ENGINE_METRIC, engine, ENGINE_STEP), latest(RIG_METRIC, rig, RIG_STEP)],
            }
        };
        (0..NAMES.len()).map(row).collect()
    }
}

fn timeline(states: &[Interval], from: Micros) -> Vec<TimelineRow> {
    let shown = states.iter().filter(|s| s.to.is_none_or(|to| to > from)).map(|s| StateInterval {
        from: s.from.max(from),
        to: s.to,
        state: s.category,
        label: None,
        reason: s.reason.clone(),
    });
    vec![TimelineRow { asset_id: id(RIG), asset: NAMES[0].into(), intervals: shown.collect() }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_testkit::plant::{CONDITIONS, RIG as RIG_SECONDS, RUNS};

    /// Some moment, which is at the beginning of nothing.
    const NOW: Micros = 1_795_000_000 * SECOND + 123;

    #[test]
    fn every_value_and_state_is_a_recorded_one() {
        let text: serde_json::Value = serde_json::from_str(RECORDING).unwrap();
        let first = text["first_cycle"].as_u64().unwrap() as usize;
        let recording = READ.as_ref().unwrap();
        assert_eq!((recording.cycles, recording.rig_temperature.len()), (240, 240 * 6));
        for (n, value) in recording.rig_temperature.iter().enumerate() {
            assert_eq!(*value, RIG_SECONDS[first * 60 + n * 10][0], "second {}", n * 10);
        }
        for cycle in 0..recording.cycles {
            let said = recording.rig_state(cycle * RIG_CYCLE);
            assert_eq!(said, Some(CONDITIONS[first + cycle as usize].state()), "cycle {cycle}");
        }
        for (engine, life) in recording.engine_temperatures.iter().enumerate() {
            // Three settings stand before the sensors.
            let recorded: Vec<f64> = RUNS[engine].iter().map(|row| row[4]).collect();
            assert_eq!(*life, recorded, "engine {engine}");
        }
        assert!(RECORDING.len() < 60_000);
    }

    #[test]
    fn the_hour_ends_now_and_moves_with_the_clock() {
        let page = overview(NOW - 5 * HOUR, NOW).unwrap();
        assert_eq!((page.assets.len(), page.to - page.from), (3, HOUR));
        let chart = page.chart.unwrap();
        assert_eq!((chart.series.len(), chart.series[0].values.len()), (2, 120));
        assert!(chart.series.iter().flat_map(|s| &s.values).all(Option::is_some));
        let row = &page.timeline[0];
        assert!(row.intervals.iter().all(|i| i.from >= page.from) && row.intervals.last().unwrap().to.is_none());
        assert_eq!(page.kpis.events_per_s, Some(10.0 / 60.0));
        assert_eq!(page.kpis.downtime_today_s, Some(0), "the recording knows no stop");
        assert!(page.kpis.data_age_ms.is_some_and(|age| (0..10_000).contains(&age)));
        assert!(page.sample.is_none() && page.waiting.is_none());
        let later = overview(NOW - 5 * HOUR, NOW + ENGINE_STEP).unwrap().chart.unwrap();
        assert_eq!(later.series[0].values[..119], chart.series[0].values[1..]);
    }
}
