//! What each role is told of masked values, through every use case that tells of values. The owner is the positive control:
//! what is looked for is there, so an empty answer proves nothing here.

use crate::stage::Stage;
use clarity_domain::error::ErrorCode;
use clarity_domain::ids::AssetId;
use clarity_domain::role::Role;
use clarity_domain::view::overview::OverviewQuery;
use clarity_runtime::clock::now_us;
use clarity_service::live::LivePage;
use clarity_service::{Seat, SeriesRequest};

/// A text and two numbers that stand nowhere else.
const CANARIES: [&str; 3] = ["zqcanary", "73519.25", "8642.5"];
const ASSET: &str = "00000000-0000-7000-8000-000000000001";
const HOUR: i64 = 3_600_000_000;

const DATA: &str = r#"
  insert into mappings (workspace_id, id, stream_id, version, from_epoch, from_seq, spec) values
    ('{w}', gen_random_uuid(), '{stream}', 1, 0, 0,
     '{"kind": "states", "key": [], "asset": "machine_id", "time": "ts", "asset_name": "title", "asset_line": "line",
       "states": {"state": "state", "reason": "reason"}}');
  insert into refine_cursors (workspace_id, source_id, path_source_at, change_source_at, refined_at, events, next_seq)
    values ('{w}', '{source}', now(), now(), now(), 120, 121);
  insert into source_cursors (workspace_id, source_id, position) values ('{w}', '{source}', '{"snapshot": {"last_key": "zqcanary-key"}}');
  insert into assets (workspace_id, id, number, key, name, line)
    values ('{w}', '00000000-0000-7000-8000-000000000001', 1, 'zqcanary-machine', 'zqcanary press', 'zqcanary line');
  insert into metrics (workspace_id, id, number, stream_id, column_name, name, unit, sample_type) values
    ('{w}', gen_random_uuid(), 1, '{stream}', 'speed', 'Speed', 'rpm', 'float'),
    ('{w}', gen_random_uuid(), 2, '{stream}', 'load', 'Load', 'kW', 'float'),
    ('{w}', gen_random_uuid(), 3, '{stream}', 'worker', 'Worker', '', 'text');
  insert into latest_samples (workspace_id, stream_id, asset_number, at, epoch, seq, metric_numbers, ats, snapshots, numbers, texts)
    values ('{w}', '{stream}', 1, now(), 1, 1, '{1,2,3}', array[now(), now(), now()], '{f,f,f}', '{73519.25,8642.5,NaN}',
            array['', '', 'zqcanary-name']);
  insert into rollups (workspace_id, stream_id, asset_number, grain, from_at, to_at, metric_numbers, counts, sums, minima, maxima, firsts, lasts, aggregates)
    values ('{w}', '{stream}', 1, 60, date_trunc('minute', now()) - interval '5 minutes', date_trunc('minute', now()) - interval '4 minutes',
            '{1,2}', '{2,2}', '{147038.5,17285}', '{73519.25,8642.5}', '{73519.25,8642.5}', '{73519.25,8642.5}', '{73519.25,8642.5}', '\x');
  insert into state_intervals (workspace_id, asset_number, from_at, to_at, stream_id, state, category, reason, epoch, seq)
    values ('{w}', 1, now() - interval '10 minutes', null, '{stream}', 'zqcanary stop', 'down', 'zqcanary reason', 1, 1);
  insert into dead_letters (workspace_id, source_id, epoch, seq, stream_name, fingerprint, cause, payload, segment_first_seq, line_number) values
    ('{w}', '{source}', 1, 1, 'public.telemetry', 'aa', 'the agent could not decode the event: zqcanary is no number', 'zqcanary 73519.25', 1, 0),
    ('{w}', '{source}', 1, 2, '', 'bb', 'the line is not an event', 'zqcanary 8642.5', 1, 1);
  insert into masking_policies (workspace_id, id, stream, field, rule, place, least_role, created_by, created_by_name)
    select '{w}', gen_random_uuid(), 'public.telemetry', p.field, p.rule::jsonb, 'view', 'admin', gen_random_uuid(), 'Maja'
    from (values ('speed', '{"kind": "hide"}'), ('load', '{"kind": "bucket", "width": 1000}'), ('worker', '{"kind": "hash"}'),
                 ('machine_id', '{"kind": "hash"}'), ('title', '{"kind": "hide"}'), ('line', '{"kind": "partial", "keep_last": 2}'),
                 ('state', '{"kind": "hide"}'), ('reason', '{"kind": "hash"}')) as p (field, rule);"#;

async fn stage() -> (Stage, Seat, Seat) {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&owner, DATA).await;
    let joe = stage.member(&owner, "joe@nordmark.example", Role::Operator).await;
    let operator = stage.seat(&joe).await;
    (stage, owner, operator)
}

fn request(metric: &str) -> SeriesRequest {
    let now = now_us();
    SeriesRequest { asset: asset(), metric: metric.into(), from: now - HOUR, to: now, points: 60 }
}

fn asset() -> AssetId {
    ASSET.parse().unwrap()
}

/// Everything that tells of values, as text, by what told it.
async fn told(stage: &Stage, seat: &Seat) -> Vec<(&'static str, String)> {
    let services = &stage.services;
    let mut all = Vec::new();
    for metric in ["Speed", "Load"] {
        let query = OverviewQuery { metric: Some(metric.into()), ..OverviewQuery::default() };
        let page = services.overview(seat, &query).await.unwrap();
        all.push(("overview", serde_json::to_string(&page).unwrap()));
        let live = services.snapshot(seat, &LivePage::Overview(query)).await.unwrap().full();
        all.push(("live overview", serde_json::to_string(&live).unwrap()));
        all.push(("series", format!("{:?}", services.series(seat, &request(metric)).await.unwrap())));
    }
    all.push(("assets", format!("{:?}", services.assets(seat, None, 10).await.unwrap())));
    all.push(("asset", format!("{:?}", services.asset(seat, asset()).await.unwrap())));
    all.push(("search", format!("{:?}", services.search(seat, "zqcanary").await.unwrap())));
    // Whoever manages no sources reads none of them.
    if let Ok(letters) = services.dead_letters(seat).await {
        all.push(("dead letters", serde_json::to_string(&letters).unwrap()));
    }
    let sources = services.sources(seat).await.unwrap();
    all.push(("sources", serde_json::to_string(&sources).unwrap()));
    let source = services.source(seat, sources.sources[0].id).await.unwrap();
    all.push(("source", serde_json::to_string(&source).unwrap()));
    let live = services.snapshot(seat, &LivePage::Sources).await.unwrap().full();
    all.push(("live sources", serde_json::to_string(&live).unwrap()));
    all
}

#[tokio::test]
async fn who_is_below_the_least_role_is_told_no_canary_and_who_is_not_is_told_all() {
    let (stage, owner, operator) = stage().await;
    let owners: Vec<(&str, String)> = told(&stage, &owner).await;
    for what in ["overview", "live overview", "series", "assets", "asset", "search", "dead letters", "source"] {
        let said =
            owners.iter().filter(|(of, _)| *of == what).any(|(_, text)| CANARIES.iter().any(|c| text.contains(c)));
        assert!(said, "{what} tells the owner nothing: it would prove nothing of the operator's");
    }
    for (what, text) in told(&stage, &operator).await {
        for canary in CANARIES {
            assert!(!text.contains(canary), "{what} tells an operator {canary}: {text}");
        }
    }
}

#[tokio::test]
async fn a_hidden_series_says_so_and_a_rounded_one_is_rounded() {
    let (stage, owner, operator) = stage().await;
    let services = &stage.services;
    let hidden = services.series(&operator, &request("Speed")).await.unwrap();
    assert!(hidden.points.is_empty() && hidden.note.is_some_and(|note| note.contains("Hidden")), "{hidden:?}");
    let rounded = services.series(&operator, &request("Load")).await.unwrap();
    let point = rounded.points[0];
    assert_eq!((point.min, point.max, point.mean, point.first, point.last), (8000.0, 8000.0, 8000.0, 8000.0, 8000.0));
    assert_eq!(services.series(&owner, &request("Load")).await.unwrap().points[0].mean, 8642.5);
    assert_eq!(services.series(&owner, &request("Load")).await.unwrap().note, None);

    let query = OverviewQuery { metric: Some("Speed".into()), ..OverviewQuery::default() };
    let page = services.overview(&operator, &query).await.unwrap();
    let cells: Vec<(&str, Option<f64>, bool)> =
        page.assets[0].latest.iter().map(|latest| (latest.metric.as_str(), latest.value, latest.hidden)).collect();
    assert_eq!(cells, [("Speed", None, true), ("Load", Some(8_000.0), false)], "a cell without a number says why");
    let chart = page.chart.unwrap();
    assert!(chart.hidden && chart.series.is_empty());
    let usual = services.overview(&operator, &OverviewQuery::default()).await.unwrap().chart.unwrap();
    assert_eq!((usual.metric.as_str(), usual.hidden), ("Load", false), "what is hidden is nobody's first choice");
}

#[tokio::test]
async fn a_hidden_state_is_in_no_figure() {
    let (stage, owner, operator) = stage().await;
    let clear = stage.services.overview(&owner, &OverviewQuery::default()).await.unwrap().kpis;
    assert!(clear.downtime_today_s.is_some());
    let masked = stage.services.overview(&operator, &OverviewQuery::default()).await.unwrap().kpis;
    assert_eq!((masked.downtime_today_s, masked.availability_today, masked.machines_running), (None, None, 0));
    assert!(masked.down_line.is_empty());
}

#[tokio::test]
async fn a_policy_that_was_removed_masks_no_longer_and_another_workspaces_never_did() {
    let (stage, _, operator) = stage().await;
    let other = stage.owner("Acme", "eve@acme.example").await;
    let foreign = stage.services.series(&other, &request("Speed")).await.unwrap_err();
    assert_eq!(foreign.code, ErrorCode::NotFound);
    stage.sql("update masking_policies set removed_at = now()").await;
    let shown = stage.services.series(&operator, &request("Speed")).await.unwrap();
    assert_eq!((shown.points[0].mean, shown.note), (73519.25, None));
}
