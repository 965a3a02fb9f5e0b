//! The set-up of a workspace, what it waits for until its first machine, and the sample data meanwhile.

use crate::stage::{SOURCE, STREAM, Stage};
use clarity_domain::error::ErrorCode;
use clarity_domain::role::Role;
use clarity_domain::view::overview::{Overview, OverviewQuery};
use clarity_domain::view::set_up::{SetUpStep, StepState, Waiting, WaitingFor};
use clarity_service::Seat;
use clarity_service::live::LivePage;

async fn overview(stage: &Stage, seat: &Seat) -> Overview {
    stage.services.overview(seat, &OverviewQuery::default()).await.unwrap()
}

async fn waiting(stage: &Stage, seat: &Seat) -> Waiting {
    *overview(stage, seat).await.waiting.unwrap()
}

/// `{w}`, `{source}` and `{stream}` as in `Stage::with_source`, which makes all three at once.
async fn sql(stage: &Stage, seat: &Seat, text: &str) {
    let text = text.replace("{w}", &seat.frame_card().id.to_string());
    stage.sql(&text.replace("{source}", SOURCE).replace("{stream}", STREAM)).await;
}

#[tokio::test]
async fn each_cause_of_the_wait_is_told() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let cause = async || waiting(&stage, &seat).await.cause;
    assert_eq!(cause().await, WaitingFor::Agent);

    sql(&stage, &seat, "insert into agents (workspace_id, id, name) values ('{w}', '{source}', 'plant-pc')").await;
    let paired = waiting(&stage, &seat).await;
    assert_eq!((paired.cause, paired.agent.as_deref()), (WaitingFor::Connection, Some("plant-pc")));
    stage.sql("update agents set seen_at = now()").await;
    assert_eq!(cause().await, WaitingFor::Source);
    stage.sql("update agents set seen_at = now() - interval '5 minutes'").await;
    let gone = waiting(&stage, &seat).await;
    assert!(gone.cause == WaitingFor::AgentBack && gone.since.is_some());

    let source = "insert into sources (workspace_id, id, agent_id, name, kind, partition, status)
                  values ('{w}', '{source}', '{source}', 'plant-db', 'postgres', 0, '{\"state\": \"streaming\"}')";
    sql(&stage, &seat, source).await;
    assert_eq!(cause().await, WaitingFor::AgentBack, "a source is not blind by itself while its agent is away");
    stage.sql("update agents set seen_at = now()").await;
    let read = waiting(&stage, &seat).await;
    assert_eq!((read.cause, read.source.map(|(_, name)| name).as_deref()), (WaitingFor::Rows, Some("plant-db")));
    stage
        .sql(
            "update sources set status = '{\"state\": \"failed\", \"problems\": [{\"code\": \"wal_level\", \"fatal\": true,
               \"message\": \"The server writes too little into its log.\", \"fix\": \"ALTER SYSTEM SET wal_level = logical;\"}]}'",
        )
        .await;
    let blind = waiting(&stage, &seat).await;
    assert_eq!((blind.cause, blind.problems.len()), (WaitingFor::Sight, 1));
    assert!(blind.problems[0].sql.as_deref().is_some_and(|sql| sql.starts_with("ALTER SYSTEM")));
    stage.sql("update sources set status = '{\"state\": \"streaming\"}'").await;

    let stored = "insert into source_cursors (workspace_id, source_id, next_seq) values ('{w}', '{source}', 7)";
    sql(&stage, &seat, stored).await;
    assert_eq!(cause().await, WaitingFor::Refine);
    let refined = "insert into refine_cursors (workspace_id, source_id, next_seq, refined_at) values ('{w}', '{source}', 7, now())";
    sql(&stage, &seat, refined).await;
    assert_eq!(cause().await, WaitingFor::Rows, "heartbeats alone are no event");
    stage.sql("update source_cursors set next_seq = 8").await;
    assert_eq!(cause().await, WaitingFor::Rows, "the next one is just being read");
    stage.sql("update refine_cursors set refined_at = now() - interval '1 minute'").await;
    assert_eq!(cause().await, WaitingFor::Refine);

    let stream = "insert into streams (workspace_id, id, source_id, name, schema) values ('{w}', '{stream}', '{source}', 'public.orders', '{}')";
    sql(&stage, &seat, stream).await;
    assert_eq!(cause().await, WaitingFor::Machine);
    let letter = "insert into dead_letters
        (workspace_id, source_id, epoch, seq, stream_name, fingerprint, cause, payload, segment_first_seq, line_number)
      values ('{w}', '{source}', 1, 7, 'public.orders', 'aa', 'no such unit', '\\x00', 1, 7)";
    sql(&stage, &seat, letter).await;
    let letters = waiting(&stage, &seat).await;
    assert_eq!((letters.cause, letters.dead_letters), (WaitingFor::DeadLetters, 1));

    let machine = "insert into assets (workspace_id, id, number, key, name) values ('{w}', '{source}', 1, 'A', 'A')";
    sql(&stage, &seat, machine).await;
    assert!(overview(&stage, &seat).await.waiting.is_none(), "a machine ends it");
    let other = stage.owner("Acme", "joe@acme.example").await;
    assert_eq!(waiting(&stage, &other).await.cause, WaitingFor::Agent, "another's agents are nobody else's");
}

#[tokio::test]
async fn an_open_page_is_told_what_it_waits_for_now() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let page = LivePage::Overview(OverviewQuery::default());
    let before = stage.services.snapshot(&seat, &page).await.unwrap();
    assert_eq!(before.full().waiting.map(|w| (w.cause, w.may_set_up)), Some((WaitingFor::Agent, true)));
    let paired = "insert into agents (workspace_id, id, name, seen_at) values ('{w}', '{source}', 'plant-pc', now())";
    sql(&stage, &seat, paired).await;
    let after = stage.services.snapshot(&seat, &page).await.unwrap();
    let update = after.since(Some(&before)).unwrap();
    assert_eq!(update.waiting.map(|w| w.cause), Some(WaitingFor::Source));
    let again = stage.services.snapshot(&seat, &page).await.unwrap();
    assert!(again.since(Some(&after)).is_none_or(|update| update.waiting.is_none()), "said once");
    let machine = "insert into assets (workspace_id, id, number, key, name) values ('{w}', '{source}', 1, 'A', 'A')";
    sql(&stage, &seat, machine).await;
    let first = stage.services.snapshot(&seat, &page).await.unwrap().since(Some(&after)).unwrap();
    assert_eq!(first.kpis.map(|kpis| kpis.machines_total), Some(1), "by which the page knows that it is another one");
}

#[tokio::test]
async fn sample_data_is_shown_until_something_comes_and_stands_nowhere() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    let viewer = stage.seat(&stage.member(&seat, "vera@nordmark.example", Role::Viewer).await).await;
    for seat in [&seat, &viewer] {
        let page = overview(&stage, seat).await;
        let sample = page.sample.unwrap();
        assert_eq!((page.assets.len(), page.kpis.machines_total), (0, 0), "the page's own figures know nothing of it");
        assert_eq!((sample.assets.len(), sample.kpis.machines_total), (3, 3));
    }
    assert_eq!(stage.count("assets").await + stage.count("streams").await + stage.count("latest_samples").await, 0);
    assert!(stage.services.search(&seat, "engine").await.unwrap().is_empty());
    assert!(!waiting(&stage, &viewer).await.may_set_up);

    assert_eq!(stage.services.show_sample(&viewer, false).await.unwrap_err().code, ErrorCode::Forbidden);
    stage.services.show_sample(&seat, false).await.unwrap();
    assert!(overview(&stage, &viewer).await.sample.is_none(), "for all members");
    stage.services.show_sample(&seat, true).await.unwrap();
    assert!(overview(&stage, &viewer).await.sample.is_some());
    // The first event, even one that names no machine.
    stage.with_source(&seat, "").await;
    let page = overview(&stage, &seat).await;
    assert_eq!((page.waiting.unwrap().cause, page.sample), (WaitingFor::Machine, None));
    assert_eq!(stage.count("audit_entries where act = 'workspace.set_up' and outcome = 'done'").await, 2);
    assert_eq!(stage.count("audit_entries where act = 'workspace.set_up' and outcome = 'refused'").await, 1);
}

#[tokio::test]
async fn steps_are_done_skipped_and_come_back_to() {
    use StepState::{Done, Open, Skipped};
    let stage = Stage::new().await;
    let signed_in = stage.sign_up("Nordmark", "maja@nordmark.example").await.unwrap();
    let seat = stage.seat(&signed_in).await;
    let services = &stage.services;
    let states = async || services.set_up(&seat).await.unwrap().states;
    assert_eq!(states().await, [Open; 4]);
    assert_eq!(overview(&stage, &seat).await.set_up, Some(0));

    services.skip_step(&seat, SetUpStep::Site).await.unwrap();
    services.set_place(&seat, "Europe", "europe/stockholm").await.unwrap();
    assert_eq!(states().await, [Done, Skipped, Open, Open]);
    let page = services.set_up(&seat).await.unwrap();
    assert_eq!((page.region.as_str(), page.time_zone.as_str()), ("Europe", "Europe/Stockholm"));
    assert_eq!(
        (page.site.as_str(), page.site_zone.as_str()),
        ("Nordmark", "Europe/Stockholm"),
        "not named yet, it goes along"
    );
    assert_eq!(stage.seat(&signed_in).await.time_zone(), "Europe/Stockholm");
    services.set_first_site(&seat, " Werk 1 ", "Europe/Berlin").await.unwrap();
    services.set_place(&seat, "", "America/Chicago").await.unwrap();
    let page = services.set_up(&seat).await.unwrap();
    assert_eq!(
        (page.site.as_str(), page.site_zone.as_str()),
        ("Werk 1", "Europe/Berlin"),
        "named, it stays where it is"
    );
    services.skip_step(&seat, SetUpStep::Site).await.unwrap();
    assert_eq!(states().await[1], Done, "what is done stays done");

    services.invite(&seat, "joe@nordmark.example", Role::Viewer).await.unwrap();
    assert_eq!(states().await, [Done, Done, Done, Open], "by whichever page");
    assert_eq!(services.set_up(&seat).await.unwrap().invited, ["joe@nordmark.example"]);
    assert_eq!(overview(&stage, &seat).await.set_up, Some(3));
    services.dismiss_set_up(&seat).await.unwrap();
    assert_eq!(overview(&stage, &seat).await.set_up, None);
    stage.sql("delete from set_up_steps where step = 'reminder'").await;
    stage.with_source(&seat, "").await;
    assert_eq!(
        (states().await, overview(&stage, &seat).await.set_up),
        ([Done; 4], None),
        "nothing is left to remind of"
    );
    let told = "audit_entries where act = 'site.set' and before->>'name' = 'Nordmark' and after->>'time_zone' = 'Europe/Berlin'";
    assert_eq!(stage.count(told).await, 1);

    for (refused, field) in [
        (services.set_place(&seat, "Europe", "Nowhere/Else").await, "time_zone"),
        (services.set_place(&seat, &"x".repeat(61), "UTC").await, "region"),
        (services.set_first_site(&seat, "  ", "UTC").await, "name"),
        (services.set_first_site(&seat, "Werk 1", "soon").await, "time_zone"),
    ] {
        assert_eq!(refused.unwrap_err().field.as_deref(), Some(field));
    }
}

#[tokio::test]
async fn a_sites_time_zone_stays_once_days_were_cut_by_it() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage
        .with_source(
            &seat,
            "insert into assets (workspace_id, id, number, key, name) values ('{w}', '{source}', 1, 'A', 'A');
             insert into rollups (workspace_id, stream_id, asset_number, grain, from_at, to_at, metric_numbers, counts, sums, minima,
                                  maxima, firsts, lasts, aggregates)
             values ('{w}', '{stream}', 1, 86400, '2026-11-22 00:00Z', '2026-11-23 00:00Z', '{1}', '{1}', '{1}', '{1}', '{1}', '{1}',
                     '{1}', '\\x00')",
        )
        .await;
    let services = &stage.services;
    assert!(services.set_up(&seat).await.unwrap().site_zone_fixed);
    let refused = services.set_first_site(&seat, "Werk 1", "Europe/Berlin").await.unwrap_err();
    assert_eq!(refused.code, ErrorCode::Conflict);
    services.set_first_site(&seat, "Werk 1", "UTC").await.unwrap();
    services.set_place(&seat, "", "Europe/Berlin").await.unwrap();
    let page = services.set_up(&seat).await.unwrap();
    assert_eq!(
        (page.site.as_str(), page.site_zone.as_str(), page.time_zone.as_str()),
        ("Werk 1", "UTC", "Europe/Berlin")
    );
}

#[tokio::test]
async fn a_machine_without_a_site_is_at_the_first_one() {
    let stage = Stage::new().await;
    let seat = stage.owner("Nordmark", "maja@nordmark.example").await;
    stage.services.set_first_site(&seat, "Werk 1", "Europe/Berlin").await.unwrap();
    let machine = "insert into assets (workspace_id, id, number, key, name) values ('{w}', '{source}', 1, 'A', 'A')";
    sql(&stage, &seat, machine).await;
    let (machines, _) = stage.services.assets(&seat, None, 10).await.unwrap();
    assert_eq!(machines[0].time_zone, "Europe/Berlin");
}

#[tokio::test]
async fn the_set_up_is_for_admins_and_of_one_workspace() {
    let stage = Stage::new().await;
    let owner = stage.owner("Nordmark", "maja@nordmark.example").await;
    let admin = stage.seat(&stage.member(&owner, "ada@nordmark.example", Role::Admin).await).await;
    let operator = stage.seat(&stage.member(&owner, "olaf@nordmark.example", Role::Operator).await).await;
    let services = &stage.services;
    services.set_place(&admin, "Europe", "Europe/Oslo").await.unwrap();
    assert_eq!(overview(&stage, &operator).await.set_up, None, "nobody is reminded of what they may not do");
    for refused in [
        services.set_up(&operator).await.map(drop),
        services.set_place(&operator, "", "UTC").await,
        services.set_first_site(&operator, "Werk 2", "UTC").await,
        services.skip_step(&operator, SetUpStep::Source).await,
        services.dismiss_set_up(&operator).await,
    ] {
        assert_eq!(refused.unwrap_err().code, ErrorCode::Forbidden);
    }
    let foreign = stage.owner("Acme", "joe@acme.example").await;
    let theirs = services.set_up(&foreign).await.unwrap();
    assert_eq!((theirs.time_zone.as_str(), theirs.states), ("UTC", [StepState::Open; 4]));
    assert!(theirs.invited.is_empty());
}
