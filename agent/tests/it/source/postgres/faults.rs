//! Crashes, slots that vanish, other systems: nothing lost, nothing double, nothing silent.

use super::{PATIENCE, Plant};
use crate::source::fold::fold;
use clarity_testkit::wait_until;
use clarity_wire::body::Op;
use clarity_wire::frame::Command;
use std::collections::BTreeMap;

const LEDGER: &str = "create table t (id int primary key, version int not null, big text)";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_random_points_lose_and_double_nothing() {
    let plant = Plant::new(LEDGER).await;
    let mut running = plant.start().await;
    plant.snapshot_done(&running, "public.t").await;
    // The ledger: every (id, version) once. Transactions of very different sizes, some larger than a block.
    let mut ledger: BTreeMap<(i32, i32), usize> = BTreeMap::new();
    let mut versions: BTreeMap<i32, i32> = BTreeMap::new();
    let mut next = 1;
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let mut torn = 0;
    for round in 0..12 {
        for _ in 0..6 {
            let rows = if random(4) == 0 { 12_000 } else { 1 + random(60) as i32 };
            plant
                .sql(&format!("insert into t select i, 0, null from generate_series({next}, {}) i", next + rows - 1))
                .await;
            for id in next..next + rows {
                versions.insert(id, 0);
                *ledger.entry((id, 0)).or_default() += 1;
            }
            next += rows;
            let (low, high) = (next - rows, next - rows + random(rows as u64) as i32);
            plant.sql(&format!("update t set version = version + 1 where id between {low} and {high}")).await;
            for id in low..=high {
                let version = versions.get_mut(&id).unwrap();
                *version += 1;
                *ledger.entry((id, *version)).or_default() += 1;
            }
        }
        // Somewhere in the midst of what is on its way.
        let pause = std::time::Duration::from_micros(random(60_000));
        let started = std::time::Instant::now();
        wait_until("a random moment", PATIENCE, || async { started.elapsed() >= pause }).await;
        if round % 3 == 2 {
            plant.platform.takes.send_replace(round % 2 == 0);
        }
        let durable = plant.platform.count(|e| matches!(e.op, Op::Insert | Op::Update));
        running.kill().await;
        torn += usize::from(durable < ledger.len());
        plant.platform.takes.send_replace(true);
        running = plant.start().await;
    }
    plant.quiesce().await;
    let mut seen: BTreeMap<(i32, i32), usize> = BTreeMap::new();
    let events = plant.platform.events();
    for event in events.iter().filter(|e| matches!(e.op, Op::Insert | Op::Update)) {
        let cell = |i: usize| event.row[i].text().unwrap().parse().unwrap();
        *seen.entry((cell(0), cell(1))).or_default() += 1;
    }
    let lost = ledger.iter().filter(|(k, _)| !seen.contains_key(k)).count();
    let doubled = seen.values().filter(|&&n| n > 1).count();
    assert_eq!((lost, doubled, seen.len()), (0, 0, ledger.len()), "kills in motion: {torn}");
    assert!(torn > 0, "no kill fell into motion");
    assert_eq!(fold(&events, "public.t"), plant.rows("t").await);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_reading_and_confirming_doubles_nothing() {
    let plant = Plant::new(LEDGER).await;
    let running = plant.start().await;
    plant.snapshot_done(&running, "public.t").await;
    plant.platform.takes.send_replace(false);
    plant.sql("insert into t select i, 0, null from generate_series(1, 25000) i").await;
    // All is spooled, nothing is durable, so the slot is not confirmed and everything comes again.
    wait_until("all is spooled", PATIENCE, || async { running.opened.spool.snapshot().next_seq > 25_000 }).await;
    running.kill().await;
    plant.platform.takes.send_replace(true);
    let running = plant.start().await;
    plant.quiesce().await;
    assert_eq!(plant.platform.count(|e| e.op == Op::Insert), 25_000);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_confirmed_before_it_is_durable() {
    let plant = Plant::new(LEDGER).await;
    let running = plant.start().await;
    plant.snapshot_done(&running, "public.t").await;
    plant.quiesce().await;
    plant.platform.takes.send_replace(false);
    plant.sql("insert into t values (1, 0, null)").await;
    wait_until("it is spooled", PATIENCE, || async { running.opened.spool.snapshot().unconfirmed_bytes > 0 }).await;
    let row = plant.owner.query_one("select (pg_current_wal_lsn() - '0/0')::int8", &[]).await.unwrap();
    let end: i64 = row.get(0);
    let confirmed = || async {
        let sql = "select (confirmed_flush_lsn - '0/0')::int8 from pg_replication_slots where slot_name = $1";
        plant.owner.query_one(sql, &[&plant.slot()]).await.unwrap().get::<_, i64>(0)
    };
    // Two heartbeats and several of the server's keep-alives pass meanwhile.
    let beats = running.status().read_events + 2;
    wait_until("heartbeats pass", PATIENCE, || async { running.status().read_events >= beats }).await;
    assert!(confirmed().await < end, "the slot stays before what is not durable");
    plant.platform.takes.send_replace(true);
    wait_until("it is confirmed once it is durable", PATIENCE, || async { confirmed().await >= end }).await;
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_is_gone_or_moved_is_said_and_never_passed_over() {
    let plant = Plant::new(LEDGER).await;
    let running = plant.start().await;
    plant.snapshot_done(&running, "public.t").await;
    plant.quiesce().await;
    running.stop().await.unwrap();
    let admin = plant.db.admin().await;
    let slot = plant.slot();
    plant.sql("insert into t values (1, 0, null)").await;
    let move_it = format!("select pg_replication_slot_advance('{slot}', pg_current_wal_lsn())");
    // The sender of before may take a moment to let go.
    wait_until("the slot is free", PATIENCE, || async { admin.batch_execute(&move_it).await.is_ok() }).await;
    let running = plant.start().await;
    assert!(running.problem("slot_moved").await.fatal);
    running.stop().await.unwrap();

    admin.batch_execute(&format!("select pg_drop_replication_slot('{slot}')")).await.unwrap();
    let running = plant.start().await;
    let problem = running.problem("slot_lost").await;
    assert!(problem.fatal && problem.fix.is_some(), "{problem:?}");
    wait_until("it says that it stands", PATIENCE, || async { running.status().state == "failed" }).await;
    let count = "select count(*) from pg_replication_slots where slot_name = $1";
    assert_eq!(admin.query_one(count, &[&slot]).await.unwrap().get::<_, i64>(0), 0, "no new slot hides the loss");

    // A person asks for a new snapshot: the gap stands in the log, then the table is whole again.
    plant.sql("insert into t values (2, 0, null)").await;
    let source_id = serde_json::from_value(serde_json::json!("0190f3a0-0000-7000-8000-000000000000")).unwrap();
    running.commands.send(Command::Resnapshot { source_id, streams: Vec::new() }).await.unwrap();
    running.streaming().await;
    plant.sql("insert into t values (3, 0, null)").await;
    plant.snapshot_done(&running, "public.t").await;
    plant.quiesce().await;
    let events = plant.platform.events();
    assert!(events.iter().any(|e| e.op == Op::Poison && e.message.as_ref().unwrap().starts_with("gap: ")));
    assert_eq!(fold(&events, "public.t"), plant.rows("t").await);
    assert!(running.status().problems.is_empty(), "{:?}", running.status().problems);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_cluster_under_the_same_address_is_refused() {
    let plant = Plant::new(LEDGER).await;
    let running = plant.start().await;
    plant.snapshot_done(&running, "public.t").await;
    running.stop().await.unwrap();
    // The position as another cluster would have left it.
    let opened = plant.platform.open(plant.folder.path(), plant.limits).await;
    let mut position = opened.spool.writer().unwrap().position().unwrap();
    position["system_identifier"] = "42".into();
    opened.spool.open_epoch(1, Some(position), None).await.unwrap();
    opened.close().await;
    plant.platform.log.lock().unwrap().next_seq = 1;
    let error = plant.start_alone().await.ended().await.unwrap_err();
    assert_eq!(error.problem().unwrap().code, "other_system");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_ends_the_run_and_the_next_goes_on() {
    let plant = Plant::new(LEDGER).await;
    let running = plant.start().await;
    plant.snapshot_done(&running, "public.t").await;
    let admin = plant.db.admin().await;
    let sql = "select pg_terminate_backend(active_pid) from pg_replication_slots where slot_name = $1 and active_pid is not null";
    plant.sql("insert into t select i, 0, null from generate_series(1, 5000) i").await;
    admin.query(sql, &[&plant.slot()]).await.unwrap();
    let error = running.ended().await.unwrap_err();
    let problem = error.problem().unwrap();
    assert!(!problem.fatal, "{problem:?}");
    let running = plant.start().await;
    plant.quiesce().await;
    assert_eq!(plant.platform.count(|e| e.op == Op::Insert), 5000);
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_is_not_utf8_is_poison_and_its_neighbours_land() {
    let admin_of = Plant::new("select 1").await;
    let name = format!("{}_ascii", admin_of.db.name());
    let admin = admin_of.db.admin().await;
    let make =
        format!("create database {name} owner customer_owner encoding 'SQL_ASCII' locale 'C' template template0");
    admin.batch_execute(&make).await.unwrap();
    let mut url = admin_of.db.owner_url();
    url.truncate(url.rfind('/').unwrap() + 1);
    let (owner, connection) = tokio_postgres::connect(&format!("{url}{name}"), tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    owner
        .batch_execute(
            "create table t (id int primary key, v text); grant select on t to clarity_reader;
             insert into t values (1, 'good'), (2, chr(255)), (3, 'good');
             create publication clarity_test for table t",
        )
        .await
        .unwrap();
    let mut plant = admin_of;
    plant.settings = format!("database = '{name}'");
    let running = plant.start().await;
    plant.snapshot_done(&running, "public.t").await;
    owner.batch_execute("insert into t values (4, 'good'), (5, chr(254)), (6, 'good')").await.unwrap();
    wait_until("the last row is durable", PATIENCE, || async {
        plant.platform.has(|e| e.op == Op::Insert && e.row[0].text() == Some("6"))
    })
    .await;
    let events = plant.platform.events();
    let poison: Vec<_> = events.iter().filter(|e| e.op == Op::Poison).map(|e| e.row[0].text().unwrap()).collect();
    assert_eq!(poison, ["2", "5"]);
    assert!(events.iter().filter(|e| e.op == Op::Poison).all(|e| e.message.as_ref().unwrap().contains("column v")));
    let landed = events.iter().filter(|e| matches!(e.op, Op::Read | Op::Insert)).count();
    assert_eq!(landed, 4);
    running.stop().await.unwrap();
    let drop_slot = format!("select pg_drop_replication_slot('{}')", plant.slot());
    wait_until("the slot is free", PATIENCE, || async { admin.batch_execute(&drop_slot).await.is_ok() }).await;
    drop(owner);
    admin.batch_execute(&format!("drop database {name} with (force)")).await.unwrap();
}
