//! What a plan does to those who send more than it allows, and what it does not do to others: nothing.

use crate::ingest::{Agent, Link, Platform, batch};
use crate::stage::{Batch, Stage, at, telemetry};
use clarity_testkit::wait_until;
use clarity_wire::body::Op;
use clarity_wire::frame::{DenyCode, Frame};
use clarity_wire::hash::BatchHash;
use serde_json::json;
use std::time::{Duration, Instant};

/// The workspace of an agent.
fn of(agent: &Agent) -> String {
    format!("(select workspace_id from auth.agent_keys where agent_id = '{}')", agent.id)
}

async fn sql(platform: &Platform, sql: &str) {
    platform.db.admin().await.batch_execute(sql).await.unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
}

/// Says what was agreed with the agent's workspace.
async fn agree(platform: &Platform, agent: &Agent, agreed: &str) {
    let set = format!(
        "insert into workspace_plans (workspace_id, plan, agreed) values ({}, 'unlimited', '{agreed}')
         on conflict (workspace_id) do update set agreed = excluded.agreed",
        of(agent)
    );
    sql(platform, &set).await;
}

async fn events(platform: &Platform, agent: &Agent) -> i64 {
    let sum =
        format!("select coalesce(sum(event_count), 0)::bigint from bronze_segments where workspace_id = {}", of(agent));
    platform.count(&sum).await
}

async fn durable(link: &mut Link) -> u64 {
    match link.next().await {
        Some(Frame::Durable(durable)) => durable.next_seq,
        other => panic!("{other:?}"),
    }
}

/// Ten seconds' worth too much: it waits ten seconds, and nobody else does.
#[tokio::test]
async fn a_rate_slows_its_own_workspace_and_loses_nothing() {
    let platform = Platform::start().await;
    let (mut noisy, mut quiet) = (platform.agent().await, platform.agent().await);
    agree(&platform, &noisy, r#"{"events_per_second": 100}"#).await;
    let (mut loud, cursor) = noisy.welcomed().await;
    let (mut calm, other) = quiet.welcomed().await;

    // A burst of 3,000 is free; the rest is on credit, and what comes then waits.
    let began = Instant::now();
    let (first, hash) = batch(cursor.source_id, 1, 1, 4_000, BatchHash::ZERO);
    let (second, hash) = batch(cursor.source_id, 1, 4_001, 50, hash);
    let (third, _) = batch(cursor.source_id, 1, 4_051, 50, hash);
    for frame in [first, second, third] {
        loud.send(frame).await;
    }
    assert_eq!(durable(&mut loud).await, 4_001);

    let mut previous = BatchHash::ZERO;
    for n in 0..20 {
        let (frame, hash) = batch(other.source_id, 1, 1 + n * 100, 100, previous);
        calm.send(frame).await;
        assert_eq!(durable(&mut calm).await, 101 + n * 100);
        previous = hash;
    }
    if began.elapsed() < Duration::from_secs(8) {
        assert_eq!(events(&platform, &noisy).await, 4_000, "the noisy one still waits");
    }
    let slowed = format!("select count(*) from slowdowns where workspace_id = {}", of(&noisy));
    wait_until("the slowdown is noted", Duration::from_secs(10), || async { platform.count(&slowed).await == 1 }).await;
    assert_eq!(platform.count("select count(*) from slowdowns").await, 1, "of the noisy one alone");

    wait_until("all of it is durable", Duration::from_secs(60), || async { events(&platform, &noisy).await == 4_100 })
        .await;
    assert!(began.elapsed() > Duration::from_secs(9), "the rate held for {:?} only", began.elapsed());
    // Connecting anew is no way round it: the workspace has one share, whatever connection it comes by.
    let (mut again, cursor) = noisy.welcomed().await;
    assert_eq!(cursor.next_seq, 4_101);
    let (large, hash) = batch(cursor.source_id, 1, 4_101, 1_000, cursor.last_hash);
    again.send(large).await;
    wait_until("the next is durable", Duration::from_secs(30), || async { events(&platform, &noisy).await == 5_100 })
        .await;
    let (last, _) = batch(cursor.source_id, 1, 5_101, 1, hash);
    again.send(last).await;
    for n in 20..25 {
        let (frame, hash) = batch(other.source_id, 1, 1 + n * 100, 100, previous);
        calm.send(frame).await;
        assert_eq!(durable(&mut calm).await, 101 + n * 100);
        previous = hash;
    }
    assert_eq!(events(&platform, &noisy).await, 5_100, "a thousand on credit are ten seconds");
    assert_eq!(platform.count("select count(*) from gap_markers").await, 0);
}

#[tokio::test]
async fn a_month_is_noticed_at_80_per_cent_and_held_back_at_120() {
    let platform = Platform::start().await;
    let mut agent = platform.agent().await;
    let workspace = of(&agent);
    let user = uuid::Uuid::now_v7();
    sql(
        &platform,
        &format!(
            "insert into auth.users (id, email, name, password_hash) values ('{user}', 'maja@nordmark.example', 'Maja', '');
             insert into auth.memberships (workspace_id, user_id, role) values ({workspace}, '{user}', 'owner')"
        ),
    )
    .await;
    agree(&platform, &agent, r#"{"events_per_month": 1000}"#).await;
    let (mut link, cursor) = agent.welcomed().await;
    let (first, hash) = batch(cursor.source_id, 1, 1, 10, BatchHash::ZERO);
    link.send(first).await;
    assert_eq!(durable(&mut link).await, 11);
    let used =
        async |events: i64| sql(&platform, &format!("update source_cursors set durable_events = {events}")).await;
    let notices =
        async |share: i32| platform.count(&format!("select count(*) from usage_notices where share = {share}")).await;

    used(800).await;
    wait_until("80 % are noticed", Duration::from_secs(30), || async { notices(80).await == 1 }).await;
    // It is silent for longer than ingest allows, but for this.
    link.send(Frame::Heartbeat).await;
    used(1_199).await;
    wait_until("100 % are noticed", Duration::from_secs(30), || async { notices(100).await == 1 }).await;
    let (second, hash) = batch(cursor.source_id, 1, 11, 1, hash);
    link.send(second).await;
    assert_eq!(durable(&mut link).await, 12, "there is a grace");

    // From here on it is held back, in words at both ends; nothing that was sent is gone.
    let denied = "select count(*) from agents where denied like '%120 %%' and not connected";
    wait_until("the agent is told", Duration::from_secs(30), || async { platform.count(denied).await == 1 }).await;
    let Some(Frame::Denied(told)) = link.next().await else { panic!("not told") };
    assert_eq!((told.code, told.retry_after_s), (DenyCode::Busy, Some(120)));
    assert!(told.message.contains("waits in the spool"), "{}", told.message);
    let key = agent.key.clone();
    let (_, answer) = agent.connect(&key).await;
    assert!(matches!(answer, Frame::Denied(d) if d.code == DenyCode::Busy), "held back from the beginning");

    agree(&platform, &agent, r#"{"events_per_month": 100000}"#).await;
    wait_until("the plan was changed", Duration::from_secs(30), || async {
        // No faster than ingest lets an address come.
        tokio::time::sleep(Duration::from_millis(200)).await;
        matches!(agent.connect(&key).await.1, Frame::Welcome(_))
    })
    .await;
    let (mut link, cursor) = agent.welcomed().await;
    assert_eq!(cursor.next_seq, 12);
    let (third, _) = batch(cursor.source_id, 1, 12, 5, hash);
    link.send(third).await;
    assert_eq!(durable(&mut link).await, 17);

    // Each step is said once, by one letter to the owner.
    assert_eq!((notices(80).await, notices(100).await, notices(120).await), (1, 1, 1));
    assert_eq!(platform.count("select count(*) from auth.mails where to_address = 'maja@nordmark.example'").await, 3);
}

#[tokio::test]
async fn what_is_metered_is_what_bronze_has_and_stays_when_bronze_goes() {
    let stage = Stage::new().await;
    for n in 0..4 {
        let mut batch = Batch::new(vec![telemetry()]);
        for m in 0..=n {
            batch = batch.event(Op::Insert, 0, 7, json!(["A", at(m), 1.5, 2, null]));
        }
        stage.append(batch).await;
        // A day passes: the next segment opens another.
        if n == 1 {
            stage.execute("update usage_openings set day = day - 1").await;
        }
    }
    let bronze = stage.value("select (sum(event_count), sum(length(body))) from bronze_segments").await.unwrap();
    assert!(bronze.starts_with("(10,"), "{bronze}");
    let days = "select (sum(c.durable_events - o.events_before), sum(c.durable_bytes - o.bytes_before))
                from source_cursors c
                join usage_openings o on o.source_id = c.source_id and o.day = (select min(day) from usage_openings)";
    assert_eq!(stage.value(days).await.unwrap(), bronze);
    assert_eq!(stage.value("select count(*) from usage_openings").await.unwrap(), "2", "a row a day");
    let opened = "select (events_before, bytes_before) from usage_openings order by day desc limit 1";
    let before = "select (sum(event_count), sum(length(body))) from bronze_segments where first_seq < 4";
    assert_eq!(stage.value(opened).await, stage.value(before).await, "the first day ends where the second begins");

    let month = stage.month().await;
    stage.execute("delete from bronze_segments").await;
    assert_eq!(stage.month().await, month, "what was received stays counted");
}
