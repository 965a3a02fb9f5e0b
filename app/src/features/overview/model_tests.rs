//! How live updates change the Overview.

use clarity_domain::{
    truth::Truth,
    view::{
        Freshness,
        overview::{AssetRow, Kpis, Latest, Series},
    },
};
use uuid::Uuid;

use super::*;

const ID: AssetId = AssetId(Uuid::from_u128(7));

fn overview() -> Overview {
    Overview {
        as_of: 1000,
        from: 0,
        to: 1000,
        freshness: Freshness { truth: Truth::Live, why: String::new(), data_at: Some(990), behind_ms: Some(1) },
        kpis: Kpis::default(),
        metrics: vec![],
        chart: Some(Chart {
            metric: "T24".into(),
            unit: None,
            from: 0,
            step_us: 100,
            series: vec![Series { asset_id: ID, asset: "Engine 7".into(), values: vec![Some(1.0); 10] }],
            assets_total: 1,
            hidden: false,
        }),
        timeline: vec![TimelineRow {
            asset_id: ID,
            asset: "Engine 7".into(),
            intervals: vec![StateInterval {
                from: 0,
                to: None,
                state: StateCategory::Running,
                label: None,
                reason: None,
            }],
        }],
        assets: vec![AssetRow {
            id: ID,
            name: "Engine 7".into(),
            line: None,
            state: StateCategory::Running,
            state_label: None,
            state_reason: None,
            state_since: Some(0),
            latest: vec![Latest { metric: "T24".into(), unit: None, value: Some(1.0), at: Some(990), hidden: false }],
        }],
        assets_total: 1,
        assets_per_page: 25,
        waiting: None,
        sample: None,
        set_up: None,
    }
}

fn update() -> LiveUpdate {
    LiveUpdate {
        sent_at: 1250,
        values: vec![ValueChange { asset_id: ID, metric: "T24".into(), value: Some(2.0), at: 1240 }],
        states: vec![StateChange {
            asset_id: ID,
            state: StateCategory::Down,
            label: None,
            reason: Some("Tool change".into()),
            since: 1100,
        }],
        points: vec![ChartPoint { metric: "T24".into(), asset_id: ID, at: 1200, value: Some(2.0) }],
        ..LiveUpdate::default()
    }
}

#[test]
fn an_update_applied_twice_is_as_good_as_once() {
    let mut once = overview();
    apply(&mut once, update(), true);
    let mut twice = once.clone();
    apply(&mut twice, update(), true);
    assert_eq!(once, twice);
    assert_eq!(once.assets[0].latest[0].value, Some(2.0));
    assert_eq!(once.assets[0].state, StateCategory::Down);
}

#[test]
fn a_moving_range_moves_and_leaves_old_buckets_behind() {
    let mut state = overview();
    apply(&mut state, update(), true);
    assert_eq!((state.from, state.to), (250, 1250));
    let chart = state.chart.unwrap();
    assert_eq!(chart.from, 200);
    // Buckets 200 to 900 were known, 1000 and 1100 are a gap, 1200 is new.
    assert_eq!(chart.series[0].values.len(), 11);
    assert_eq!(chart.series[0].values[8..], [None, None, Some(2.0)]);
}

#[test]
fn a_fixed_range_keeps_its_picture() {
    let mut state = overview();
    apply(&mut state, update(), false);
    let before = overview();
    assert_eq!(
        (state.from, state.to, &state.chart, &state.timeline),
        (before.from, before.to, &before.chart, &before.timeline)
    );
    assert_eq!(state.assets[0].latest[0].value, Some(2.0), "what is latest is latest in any range");
}

#[test]
fn what_is_older_than_what_is_shown_is_left_out() {
    let mut state = overview();
    let mut late = update();
    late.values[0].at = 10;
    late.states[0].since = -5;
    late.points[0].at = -100;
    apply(&mut state, late, true);
    assert_eq!(state.assets[0].latest[0].value, Some(1.0));
    assert_eq!(state.assets[0].state, StateCategory::Running);
    assert_eq!(state.timeline[0].intervals.len(), 1);
}

#[test]
fn a_state_change_ends_the_open_interval_and_a_reason_given_later_lands() {
    let mut state = overview();
    apply(&mut state, update(), true);
    let intervals = &state.timeline[0].intervals;
    assert_eq!((intervals[0].to, intervals[1].from, intervals[1].to), (Some(1100), 1100, None));
    let mut reason = update();
    reason.states[0].reason = Some("No material".into());
    apply(&mut state, reason, true);
    assert_eq!(state.timeline[0].intervals.len(), 2);
    assert_eq!(state.timeline[0].intervals[1].reason.as_deref(), Some("No material"));
}

#[test]
fn downtime_is_cut_to_the_range_and_summed_by_reason() {
    let mut state = overview();
    let down = |from, to, reason: Option<&str>| StateInterval {
        from,
        to,
        state: StateCategory::Down,
        label: None,
        reason: reason.map(str::to_owned),
    };
    state.to = 1000 * SECOND;
    let s = |at: i64| at * SECOND;
    state.timeline[0].intervals = vec![
        down(s(-100), Some(s(100)), None),
        down(s(200), Some(s(300)), Some("Jam")),
        down(s(400), Some(s(401) - 1), Some("Blink")),
        down(s(900), None, None),
    ];
    let reasons = downtime_by_reason(&state);
    assert_eq!(
        reasons,
        [("No reason given yet".to_owned(), s(200)), ("Jam".to_owned(), s(100))],
        "less than 1 s is none"
    );
}

#[test]
fn states_say_how_long_unless_all_is_well() {
    assert_eq!(state_words(StateCategory::Down, Some(0), 720_000_000), "Down 12 min");
    assert_eq!(state_words(StateCategory::Running, Some(0), 720_000_000), "Running");
    assert_eq!(state_words(StateCategory::Unknown, None, 5), "Unknown");
}
