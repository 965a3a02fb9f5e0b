//! The rows that were there before: chunks beside the stream, under concurrent writes, resumed after a crash.

use super::{PATIENCE, Plant};
use crate::source::fold::fold;
use clarity_testkit::wait_until;
use clarity_wire::body::Op;
use clarity_wire::frame::Command;
use std::time::Duration;

const TABLES: &str = "create table t (a text, b int, n int not null default 0, big text, primary key (b, a));
     alter table t alter big set storage external;
     insert into t select 'k' || i, i % 10, 0, case when i % 100 = 0 then repeat('x', 3000) end from generate_series(1, 60000) i;
     create table log (line text); insert into log select 'line ' || i from generate_series(1, 3000) i";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn snapshot_and_concurrent_writes_fold_to_the_table() {
    let plant = Plant::new(TABLES).await;
    let running = plant.start().await;
    // Inserts, updates (of values, of keys, of TOASTed rows) and deletes, spread over the keys, from before the slot is made
    // until all chunks are read.
    let mut round = 0;
    while !plant.platform.has(|e| e.op == Op::SnapshotEnd && e.is_of("public.t")) {
        assert!(round < 3000, "the snapshot ends under writes");
        plant
            .sql(&format!(
                "update t set n = n + 1 where b = {b} and a like 'k%{d}';
                 delete from t where (b, a) in (select b, a from t where b = {e} limit 3);
                 update t set a = 'moved' || a where (b, a) in (select b, a from t where b = {d} and a like 'k%00' limit 2);
                 insert into t values ('new{round}', {b}, {round}, 'fresh')",
                b = round % 10,
                d = (round * 7) % 10,
                e = (round * 3) % 10,
            ))
            .await;
        round += 1;
    }
    plant.quiesce().await;
    let events = plant.platform.events();
    let reads = events.iter().filter(|e| e.op == Op::Read && e.is_of("public.t")).count();
    let during = events.iter().position(|e| e.op == Op::Update).unwrap();
    assert!(events[during..].iter().any(|e| e.op == Op::Read), "changes were streamed while the snapshot ran");
    let expected = plant.rows("t").await;
    let folded = fold(&events, "public.t");
    assert_eq!(folded.len(), expected.len());
    if let Some(i) = (0..folded.len()).find(|&i| folded[i] != expected[i]) {
        panic!("row {i}: folded {:?}, table {:?} ({round} rounds, {reads} reads)", folded[i], expected[i]);
    }
    let end = events.iter().find(|e| e.op == Op::SnapshotEnd && e.is_of("public.t")).unwrap();
    assert_eq!(end.count, Some(reads as u64));
    // A table without a key: one snapshot, all rows once, and later inserts.
    plant.snapshot_done(&running, "public.log").await;
    let lines: Vec<_> = events.iter().filter(|e| e.op == Op::Read && e.is_of("public.log")).collect();
    assert!(lines.iter().all(|l| l.snapshot == lines[0].snapshot));
    running.problem("no_primary_key").await;
    plant.sql("insert into log values ('streamed')").await;
    plant.quiesce().await;
    assert!(plant.platform.has(|e| e.op == Op::Insert && e.is_of("public.log")));
    running.stop().await.unwrap();
}

/// A chunk's snapshot is taken, then rows get other keys, then the chunk is read: the log has the changes without their
/// TOASTed values before the rows that have them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_move_while_their_chunk_is_read_keep_all_values() {
    for (moved, what) in [(20, "some rows"), (300, "more than are remembered")] {
        let plant = Plant::new(&format!(
            "create table t (id int primary key, n int, big text); alter table t alter big set storage external;
             insert into t select i, 0, repeat('x', 3000) || i from generate_series(1, {moved}) i;
             create publication clarity_test for table t with (publish_via_partition_root = true)"
        ))
        .await;
        // Making a slot would wait for the transactions that hold the locks.
        plant.sql(&format!("select pg_create_logical_replication_slot('{}', 'pgoutput')", plant.slot())).await;
        let (first, second) = (plant.db.owner().await, plant.db.owner().await);
        first.batch_execute("begin; lock table t in access exclusive mode").await.unwrap();
        let behind = tokio::spawn(async move {
            second.batch_execute("begin; lock table t in access exclusive mode").await.unwrap();
            second
        });
        waiting(&plant, "AccessExclusiveLock").await;
        let running = plant.start().await;
        waiting(&plant, "AccessShareLock").await;
        // Each row moves twice, the second time to before all that was read.
        first.batch_execute("update t set id = id + 10000; update t set id = -id; commit").await.unwrap();
        let second = behind.await.unwrap();
        wait_until("the changes are durable", PATIENCE, || async {
            plant.platform.count(|e| e.op == Op::Update) == 2 * moved
        })
        .await;
        second.batch_execute("commit").await.unwrap();
        plant.snapshot_done(&running, "public.t").await;
        let events = plant.platform.events();
        let read = events.iter().position(|e| e.op == Op::Read).unwrap();
        let changed = events.iter().position(|e| e.op == Op::Update).unwrap();
        assert!(changed < read, "{what}: the changes come before the rows");
        assert_eq!(fold(&events, "public.t"), plant.rows("t").await, "{what}");
        running.stop().await.unwrap();
    }
}

/// Waits until somebody waits for that lock on `t`.
async fn waiting(plant: &Plant, mode: &str) {
    wait_until(&format!("somebody waits for {mode}"), PATIENCE, || async {
        let count = "select count(*) from pg_locks where relation = 't'::regclass and not granted and mode = $1";
        plant.owner.query_one(count, &[&mode]).await.unwrap().get::<_, i64>(0) > 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_snapshot_goes_on_after_the_last_spooled_row() {
    let plant = Plant::new(
        "create table t (id int primary key, v text);
         insert into t select i, repeat('v', 500) from generate_series(1, 40000) i",
    )
    .await;
    let is_read = |e: &crate::source::harness::Event| e.op == Op::Read;
    let mut kills = 0;
    let mut running = plant.start().await;
    while !plant.platform.has(|e| e.op == Op::SnapshotEnd) {
        let before = plant.platform.count(is_read);
        wait_until("some more rows were read", PATIENCE, || async {
            plant.platform.count(is_read) > before + 3000 || plant.platform.has(|e| e.op == Op::SnapshotEnd)
        })
        .await;
        if !plant.platform.has(|e| e.op == Op::SnapshotEnd) {
            running.kill().await;
            kills += 1;
            running = plant.start().await;
        }
    }
    assert!(kills >= 2, "it was killed in the midst: {kills}");
    plant.quiesce().await;
    let events = plant.platform.events();
    let mut ids: Vec<i32> =
        events.iter().filter(|e| e.op == Op::Read).map(|e| e.row[0].text().unwrap().parse().unwrap()).collect();
    assert!(ids.is_sorted(), "chunks go by key");
    let read = ids.len();
    ids.dedup();
    assert_eq!((ids.len(), read), (40_000, 40_000), "every row once, also over {kills} kills");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streaming_does_not_wait_for_a_large_snapshot() {
    let plant = Plant::new(
        "create table small (id int primary key);
         create table large (id int primary key, v text);
         insert into large select i, 'some text that takes a little place ' || i from generate_series(1, 400000) i",
    )
    .await;
    let running = plant.start().await;
    running.streaming().await;
    let started = std::time::Instant::now();
    plant.sql("insert into small values (1)").await;
    wait_until("the change is durable", PATIENCE, || async {
        plant.platform.has(|e| e.op == Op::Insert && e.is_of("public.small"))
    })
    .await;
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(!plant.platform.has(|e| e.op == Op::SnapshotEnd && e.is_of("public.large")), "the snapshot still runs");
    running.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_is_taken_again_on_command_and_not_without_need() {
    let plant = Plant::new("create table t (id int primary key); insert into t values (1), (2)").await;
    let running = plant.start().await;
    plant.snapshot_done(&running, "public.t").await;
    running.stop().await.unwrap();
    let running = plant.start().await;
    running.streaming().await;
    plant.quiesce().await;
    assert_eq!(plant.platform.count(|e| e.op == Op::Read), 2, "a restart takes none again");
    let source_id = serde_json::from_value(serde_json::json!("0190f3a0-0000-7000-8000-000000000000")).unwrap();
    running.commands.send(Command::Resnapshot { source_id, streams: vec!["public.t".into()] }).await.unwrap();
    wait_until("it was read again", PATIENCE, || async {
        plant.platform.count(|e| e.op == Op::Read) == 4 && plant.platform.count(|e| e.op == Op::SnapshotEnd) == 2
    })
    .await;
    running.stop().await.unwrap();
}
