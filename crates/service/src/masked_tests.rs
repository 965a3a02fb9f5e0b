//! What is left of what the read models hold, rule by rule.

use clarity_domain::ids::AssetId;
use clarity_domain::mapping::{StateColumns, StreamKind};
use clarity_domain::masking::ANY_STREAM;
use clarity_runtime::secret::Secret;
use clarity_store::chunk::LatestValue;
use uuid::Uuid;

use super::*;

const SOURCE: SourceId = SourceId(Uuid::from_u128(1));
const STREAM: StreamId = StreamId(Uuid::from_u128(2));
/// What must be nowhere.
const CANARY: &str = "zqcanary-secret-text";

fn spec() -> MappingSpec {
    MappingSpec {
        kind: StreamKind::States,
        key: vec![],
        asset: Some("machine_id".into()),
        time: Some("ts".into()),
        metrics: vec![],
        metric_name: Some("tag".into()),
        value: Some("value".into()),
        unit: Some("unit".into()),
        states: Some(StateColumns { state: "state".into(), reason: Some("reason".into()) }),
        asset_name: Some("title".into()),
        asset_line: Some("line".into()),
        asset_site: None,
        asset_model: None,
    }
}

fn masks(of: &[(&str, MaskRule)]) -> Masks {
    let policy = |(field, rule): &(&str, MaskRule)| MaskPolicy {
        id: Uuid::nil(),
        source_id: Some(SOURCE),
        stream: "public.telemetry".into(),
        field: (*field).into(),
        rule: *rule,
        place: MaskPlace::View,
        least_role: None,
    };
    let stream = StreamFields { id: STREAM, source_id: SOURCE, name: "public.telemetry".into(), specs: vec![spec()] };
    let secrets = SecretsKey::from_password(&Secret::new("test"));
    Masks::new(of.iter().map(policy).collect(), vec![stream], &secrets, WorkspaceId(Uuid::from_u128(3)))
}

fn metric(number: i32, column: &str, sample_type: SampleType) -> Metric {
    Metric {
        number,
        stream_id: STREAM,
        column_name: column.into(),
        name: column.into(),
        unit: "rpm".into(),
        sample_type,
        extra: false,
    }
}

fn latest(values: &[(i32, Option<f64>, Option<&str>)]) -> Vec<Latest> {
    let value = |(metric_number, number, text): &(i32, Option<f64>, Option<&str>)| LatestValue {
        metric_number: *metric_number,
        at: 7,
        snapshot: false,
        number: *number,
        text: text.map(str::to_owned),
    };
    let values = values.iter().map(value).collect();
    vec![Latest { stream_id: STREAM, asset_number: 1, at: 7, received_at: 7, epoch: 1, seq: 1, values }]
}

const ROUND: MaskRule = MaskRule::Bucket { width: 10.0 };

#[test]
fn newest_values_are_what_the_rule_leaves() {
    let metrics = [
        metric(1, "temp", SampleType::Float),
        metric(2, "rpm", SampleType::Integer),
        metric(3, "note", SampleType::Text),
        metric(4, "load", SampleType::Float),
        metric(5, "flag", SampleType::Boolean),
    ];
    let rules = [("temp", MaskRule::Hide), ("rpm", ROUND), ("note", MaskRule::Hash), ("flag", ROUND)];
    let rows = latest(&[
        (1, Some(73.5), None),
        (2, Some(73.5), None),
        (3, None, Some(CANARY)),
        (4, Some(73.5), None),
        (5, Some(1.0), None),
        (9, Some(73.5), None),
    ]);
    let masked = masks(&rules).latest(rows.clone(), &metrics);
    let shown: Vec<_> = masked[0].values.iter().map(|v| (v.metric_number, v.number)).collect();
    assert_eq!(shown, [(1, None), (2, Some(70.0)), (3, None), (4, Some(73.5)), (5, None)], "9 is told of by nobody");
    let hash = masked[0].values[2].text.clone().unwrap();
    assert!(hash.starts_with("h:") && hash.len() == 24, "{hash}");
    assert_eq!(masks(&rules).latest(rows.clone(), &metrics), masked, "equal values stay equal");
    assert_eq!(masks(&[]).latest(rows.clone(), &metrics), rows);
}

#[test]
fn a_tag_a_path_and_what_holds_them_are_masked() {
    let of = |field: &str, column: &str, sample_type| masks(&[(field, ROUND)]).rule_of(&metric(1, column, sample_type));
    assert_eq!(of("value", "value[Speed]", SampleType::Float), Some(ROUND));
    assert_eq!(of("Speed", "value[Speed]", SampleType::Float), Some(ROUND), "by its tag");
    assert_eq!(of("Speed", "value[Load]", SampleType::Float), None);
    assert_eq!(of("extra", "extra.oil.level", SampleType::Float), Some(ROUND));
    assert_eq!(of("extra.oil", "extra.oil.level", SampleType::Float), Some(ROUND));
    assert_eq!(of("extra.oil", "extra.oily", SampleType::Float), None);
    assert_eq!(of("extra.oil.level", "extra.oil", SampleType::Text), Some(MaskRule::Hide), "a document that holds it");
    assert_eq!(of("temp", "#overflow", SampleType::Text), Some(MaskRule::Hide));
    assert_eq!(of("ts", "temp", SampleType::Float), Some(MaskRule::Hide), "without its time");
}

#[test]
fn a_metric_whose_name_is_masked_is_not_told_of() {
    let metrics = vec![metric(1, "value[Speed]", SampleType::Float), metric(2, "temp", SampleType::Float)];
    let shown = masks(&[("tag", MaskRule::Hash)]).metrics(metrics.clone());
    assert_eq!(shown.iter().map(|m| m.number).collect::<Vec<_>>(), [2]);
    let shown = masks(&[("unit", MaskRule::Hide)]).metrics(metrics);
    assert_eq!(shown.iter().map(|m| m.unit.as_str()).collect::<Vec<_>>(), ["", "rpm"]);
}

#[test]
fn spans_are_computed_of_rounded_values_alone() {
    let clear = BucketStats { count: 3, sum: 83.0, min: 11.0, max: 49.0, first: 23.0, last: 11.0 };
    let grid_of = |stats| Grid { from: 0, step_us: 1, points: 1, series: vec![(1, vec![Some(stats), None])] };
    let masked = grid(&ROUND, grid_of(clear)).series[0].1[0].unwrap();
    assert_eq!((masked.min, masked.max, masked.first, masked.last, masked.count), (10.0, 40.0, 20.0, 10.0, 3));
    assert_eq!(masked.mean(), 20.0);
    // Whatever lies between, the answer is the same: a mean over shifted spans tells nothing more.
    let other = BucketStats { sum: 119.0, ..clear };
    assert_eq!(grid(&ROUND, grid_of(other)), grid(&ROUND, grid_of(clear)));
    assert_eq!(grid(&MaskRule::Hide, grid_of(clear)).series[0].1, [None, None]);
}

#[test]
fn a_hidden_state_counts_as_unknown_and_a_hidden_reason_is_none() {
    let interval = Interval {
        stream_id: STREAM,
        asset_number: 1,
        from: 0,
        to: None,
        state: "down".into(),
        category: StateCategory::Down,
        reason: Some(CANARY.into()),
    };
    let of = |rules: &[(&str, MaskRule)]| masks(rules).intervals(vec![interval.clone()]);
    let reason = of(&[("reason", MaskRule::Hide)]);
    assert_eq!((reason[0].category, reason[0].reason.as_deref()), (StateCategory::Down, None));
    let state = of(&[("state", MaskRule::Hide)]);
    assert_eq!((state[0].category, state[0].state.as_str()), (StateCategory::Unknown, "unknown"));
    assert!(of(&[("ts", MaskRule::Hide)]).is_empty(), "without its time nothing is said");
    assert_eq!(of(&[("other", MaskRule::Hide)]), std::slice::from_ref(&interval));
}

#[test]
fn machines_are_called_by_what_may_be_read() {
    let asset = |name: &str| Asset {
        id: AssetId(Uuid::nil()),
        number: 4,
        key: CANARY.into(),
        name: name.into(),
        line: "A".into(),
        model: String::new(),
        site_id: None,
        time_zone: "UTC".into(),
    };
    let of = |rules: &[(&str, MaskRule)], name| masks(rules).assets(vec![asset(name)]).remove(0);
    let hidden = of(&[("machine_id", MaskRule::Hide)], CANARY);
    assert_eq!((hidden.key.as_str(), hidden.name.as_str()), ("machine-4", "Machine 4"));
    let named = of(&[("machine_id", MaskRule::Hide)], "Press");
    assert_eq!((named.key.as_str(), named.name.as_str()), ("machine-4", "Press"));
    let hashed = of(&[("title", MaskRule::Hash), ("line", MaskRule::Hide)], "Press");
    assert!(hashed.name.starts_with("h:") && hashed.line.is_empty() && hashed.model.is_empty());
}

#[test]
fn a_policy_of_another_source_or_stream_is_not_ours() {
    let mut masks = masks(&[("temp", MaskRule::Hide)]);
    assert!(masks.concern(SOURCE, "public.telemetry") && masks.concern(SOURCE, ""));
    assert!(!masks.concern(SOURCE, "public.orders") && !masks.concern(SourceId(Uuid::nil()), ""));
    masks.policies[0].stream = ANY_STREAM.into();
    assert!(masks.concern(SOURCE, "public.orders"));
}
