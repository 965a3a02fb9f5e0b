//! What the Overview, Sources and the palette say of a workspace with data, and of an empty one.

use crate::stage::{PASSWORD, SOURCE, Stage, client};
use clarity_domain::error::ErrorCode;
use clarity_domain::ids::AssetId;
use clarity_domain::role::Role;
use clarity_domain::state::StateCategory;
use clarity_domain::time::{HOUR, MINUTE};
use clarity_domain::truth::Truth;
use clarity_domain::view::audit::AuditFilter;
use clarity_domain::view::overview::OverviewQuery;
use clarity_domain::view::sources::SourceState;
use clarity_service::live::LivePage;
use clarity_service::{ExportFormat, Seat};

const DATA: &str = "
  insert into refine_cursors (workspace_id, source_id, path_source_at, change_source_at, refined_at, events, next_seq)
    values ('{w}', '{source}', now(), now(), now(), 120, 121);
  insert into source_minutes (workspace_id, source_id, minute, events, bytes)
    select '{w}', '{source}', date_trunc('minute', now()) - n * interval '1 minute', 600, 1 from generate_series(0, 5) n;
  insert into assets (workspace_id, id, number, key, name, line)
    select '{w}', ('00000000-0000-7000-8000-00000000000' || n)::uuid, n, 'ENG-00' || n, 'Engine ' || n, 'Line A' from generate_series(1, 3) n;
  insert into metrics (workspace_id, id, number, stream_id, column_name, name, unit, sample_type)
    values ('{w}', gen_random_uuid(), 1, '{stream}', 't24', 'T24', '°C', 'float');
  insert into latest_samples (workspace_id, stream_id, asset_number, at, epoch, seq, metric_numbers, ats, snapshots, numbers)
    select '{w}', '{stream}', n, now() - interval '2 seconds', 1, n, '{1}', array[now() - interval '2 seconds'], '{false}', array[20.5 + n]
    from generate_series(1, 3) n;
  insert into state_intervals (workspace_id, asset_number, from_at, to_at, stream_id, state, category, reason, epoch, seq) values
    ('{w}', 1, now() - interval '10 minutes', null, '{stream}', 'running', 'running', null, 1, 1),
    ('{w}', 2, now() - interval '20 minutes', now() - interval '5 minutes', '{stream}', 'running', 'running', null, 1, 2),
    ('{w}', 2, now() - interval '5 minutes', null, '{stream}', 'Stopped', 'down', 'belt torn', 1, 3);";

#[tokio::test]
async fn the_overview_says_what_is_known() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, DATA).await;
    let page = stage.services.overview(&seat, &OverviewQuery::default()).await.unwrap();
    assert_eq!((page.freshness.truth, page.assets_total), (Truth::Live, 3));
    assert_eq!(page.to - page.from, 30 * MINUTE, "the oldest that is known is a state of 20 minutes ago");
    let kpis = &page.kpis;
    assert_eq!((kpis.machines_running, kpis.machines_total), (1, 3));
    assert!(kpis.downtime_today_s.is_some_and(|s| (0..=302).contains(&s)), "{kpis:?}");
    assert!(kpis.availability_today.is_some_and(|a| (0.0..=1.0).contains(&a)));
    assert!(kpis.events_per_s.is_some_and(|r| r >= 10.0), "600 a minute and more: {kpis:?}");
    assert_eq!((kpis.events_per_minute.len(), kpis.events_per_minute[59]), (60, Some(600.0)));
    assert_eq!(kpis.running_line.last(), Some(&Some(1.0)), "one of three runs at the end of the line");
    assert_eq!(kpis.down_line.last(), Some(&Some(1.0)));
    assert_eq!(kpis.availability_line.last(), Some(&Some(0.5)), "of the two whose state is known");
    assert!(kpis.data_age_ms.is_some_and(|ms| ms >= 2000));
    assert_eq!(page.metrics[0].assets, 3);
    let order: Vec<_> = page.assets.iter().map(|a| (a.name.as_str(), a.state)).collect();
    use StateCategory::{Down, Running, Unknown};
    assert_eq!(order, [("Engine 2", Down), ("Engine 3", Unknown), ("Engine 1", Running)], "worst first");
    let worst = &page.assets[0];
    assert_eq!((worst.state_label.as_deref(), worst.state_reason.as_deref()), (Some("Stopped"), Some("belt torn")));
    assert_eq!((worst.latest[0].metric.as_str(), worst.latest[0].value), ("T24", Some(22.5)));
    assert_eq!(page.timeline[0].intervals.len(), 2);
    let chart = page.chart.unwrap();
    assert_eq!((chart.metric.as_str(), chart.assets_total, chart.series.len()), ("T24", 3, 3));

    let only = OverviewQuery { asset: Some(worst.id), ..OverviewQuery::default() };
    assert_eq!(stage.services.overview(&seat, &only).await.unwrap().assets.len(), 1);
    let asked = OverviewQuery { range: "1h".parse().ok(), ..OverviewQuery::default() };
    let asked = stage.services.overview(&seat, &asked).await.unwrap();
    assert_eq!(asked.to - asked.from, HOUR, "who asks for an hour gets an hour");
    stage.sql("update state_intervals set from_at = from_at - interval '1 hour' where asset_number = 1").await;
    let old = stage.services.overview(&seat, &OverviewQuery::default()).await.unwrap();
    assert_eq!(old.to - old.from, HOUR, "older than an hour");
}

#[tokio::test]
async fn an_empty_workspace_knows_nothing_and_says_so() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let page = stage.services.overview(&seat, &OverviewQuery::default()).await.unwrap();
    assert_eq!(page.freshness.truth, Truth::Unconnected, "nothing failed: there is nothing to see yet");
    let known =
        (page.kpis.availability_today, page.kpis.downtime_today_s, page.kpis.events_per_s, page.kpis.data_age_ms);
    assert_eq!(known, (None, None, None, None), "not known is not zero");
    assert!(page.chart.is_none() && page.assets.is_empty());
    assert!(page.kpis.running_line.is_empty() && page.kpis.availability_line.is_empty());
    assert_eq!(page.to - page.from, HOUR, "with nothing to go by, the last hour");
}

#[tokio::test]
async fn a_source_that_is_not_heard_is_blind_and_first() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, DATA).await;
    let before = stage.services.snapshot(&seat, &LivePage::Sources).await.unwrap();
    stage.sql("update agents set seen_at = now() - interval '6 minutes'").await;
    let sources = stage.services.sources(&seat).await.unwrap();
    let row = &sources.sources[0];
    assert_eq!((row.freshness.truth, row.state, row.events_per_s), (Truth::Blind, SourceState::Streaming, None));
    assert_eq!(row.freshness.why, "agent last seen 6 min ago");
    assert!(!sources.agents[0].connected, "what was not heard of is not connected");
    let after = stage.services.snapshot(&seat, &LivePage::Sources).await.unwrap();
    let update = after.since(Some(&before)).unwrap();
    assert_eq!(update.sources[0].freshness.truth, Truth::Blind);
    let detail = stage.services.source(&seat, row.id).await.unwrap();
    assert_eq!((detail.streams.len(), detail.positions.len()), (1, 1));
    assert_eq!((detail.positions[0].what.as_str(), detail.positions[0].seq), ("Refined", Some(120)));
}

#[tokio::test]
async fn another_workspace_finds_none_of_it() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.with_source(&seat, DATA).await;
    let other = stage.owner("Acme", "joe@acme.example").await;
    let asset: AssetId = "00000000-0000-7000-8000-000000000001".parse().unwrap();
    let services = &stage.services;
    let query = OverviewQuery { asset: Some(asset), ..OverviewQuery::default() };
    assert!(services.overview(&seat, &query).await.is_ok(), "the positive control");
    assert_eq!(services.overview(&other, &query).await.err().unwrap().code, ErrorCode::NotFound);
    let source = services.source(&other, SOURCE.parse().unwrap()).await.err().unwrap();
    assert_eq!(source.code, ErrorCode::NotFound);
    assert!(services.sources(&other).await.unwrap().sources.is_empty());
    assert_eq!(services.overview(&other, &OverviewQuery::default()).await.unwrap().assets_total, 0);
    assert_eq!(services.search(&seat, "engine").await.unwrap().len(), 3);
    assert!(services.search(&other, "engine").await.unwrap().is_empty());
    assert_eq!(services.search(&seat, "%").await.unwrap().len(), 0, "a percent sign is a percent sign");
    assert_eq!(services.search(&seat, "plant").await.unwrap()[0].name, "plant-db");
}

#[tokio::test]
async fn pages_are_found_by_those_who_may_open_them() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let admin = stage.seat(&stage.member(&owner, "ada@nordmark.example", Role::Admin).await).await;
    let operator = stage.seat(&stage.member(&owner, "olaf@nordmark.example", Role::Operator).await).await;
    for (text, page, of_admins) in [
        ("mask", "Masking", true),
        ("Retention", "Retention", true),
        ("support", "Support access", true),
        ("sso", "Single sign-on", false),
        ("plan and", "Plan and usage", false),
    ] {
        for (seat, finds) in [(&owner, true), (&admin, of_admins), (&operator, false)] {
            let hits = stage.services.search(seat, text).await.unwrap();
            let names: Vec<&str> = hits.iter().map(|hit| hit.name.as_str()).collect();
            let expected: Vec<&str> = finds.then_some(page).into_iter().collect();
            assert_eq!(names, expected, "{text}");
        }
    }
}

#[tokio::test]
async fn a_person_does_what_is_costly_often_and_not_without_end() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let other = stage.owner("Acme", "joe@acme.example").await;
    let search = async |seat: &Seat| stage.services.search(seat, "engine").await.map(drop);
    let mut refused = None;
    // More than a minute's, and than what comes back while they run.
    for _ in 0..2_000 {
        if let Err(error) = search(&seat).await {
            refused = Some(error.code);
            break;
        }
    }
    assert_eq!(refused, Some(ErrorCode::RateLimited));
    search(&other).await.expect("nobody else waits for it");

    let export =
        async || stage.services.export_audit(&seat, &AuditFilter::default(), ExportFormat::Csv).await.map(drop);
    for _ in 0..30 {
        export().await.unwrap();
    }
    assert_eq!(export().await.unwrap_err().code, ErrorCode::RateLimited);
    let maja = stage.sign_in("maja@nordmark.example", PASSWORD).await.unwrap();
    let visitor = stage.visitor(&maja).await;
    for n in 0..12 {
        stage.services.add_workspace(&visitor, &format!("Works {n}"), &client()).await.unwrap();
    }
    let thirteenth = stage.services.add_workspace(&visitor, "One more", &client()).await.unwrap_err();
    assert_eq!(thirteenth.code, ErrorCode::RateLimited);
    assert_eq!(stage.count("auth.workspaces").await, 14, "what was refused made none");
}
