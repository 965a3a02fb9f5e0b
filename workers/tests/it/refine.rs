//! Refining on a real database, as the worker's role.

use crate::stage::*;
use clarity_series::{Projection, Rows, decode, merge};
use clarity_store::ingest::PARTITIONS;
use clarity_store::lease::{self, Lease};
use clarity_store::refine::{Fence, Place};
use clarity_store::{StoreError, asset, chunk, metric, record, state, stream};
use clarity_wire::body::Op;
use clarity_workers::context::WorkerContext;
use clarity_workers::refine::{self, source::SourceRefiner};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// All samples of the only telemetry stream, merged, one line a cell.
pub async fn samples(stage: &Stage) -> Vec<String> {
    let mut tx = stage.read().await;
    let names = metric::list(&mut tx).await.unwrap();
    let assets = asset::list(&mut tx).await.unwrap();
    let mut lines = Vec::new();
    for s in stream::list(&mut tx, stage.source).await.unwrap() {
        let numbers: Vec<i32> = assets.iter().map(|a| a.number).collect();
        let chunks = chunk::list_chunks(&mut tx, s.id, &numbers, i64::MIN / 4, i64::MAX / 4).await.unwrap();
        let parts: Vec<Rows> = chunks.iter().map(|c| decode(&c.body, &Projection::all()).unwrap()).collect();
        let (rows, _) = merge(&parts);
        for row in 0..rows.len() {
            for column in &rows.columns {
                let name = &names.iter().find(|m| m.number as u32 == column.field).unwrap().column_name;
                let asset = &assets.iter().find(|a| a.number as u32 == rows.asset[row]).unwrap().key;
                let second = (rows.at[row] - DAY) / SECOND;
                match column.get(row) {
                    clarity_series::CellRef::Absent => {}
                    cell => lines.push(format!("{asset} {second} {name} {cell:?}")),
                }
            }
        }
    }
    lines.sort();
    lines
}

async fn images(stage: &Stage) -> Vec<(String, Option<Value>)> {
    let mut tx = stage.read().await;
    let mut out = Vec::new();
    for s in stream::list(&mut tx, stage.source).await.unwrap() {
        for r in record::list(&mut tx, s.id).await.unwrap() {
            out.push((r.key, r.image.map(Value::Object)));
        }
    }
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

fn row(asset: &str, second: i64, temp: f64) -> Value {
    json!([asset, at(second), temp, 100, null])
}

#[tokio::test]
async fn a_reader_of_one_machine_gets_the_hot_chunks_with_its_rows() {
    let stage = Stage::new().await;
    for machines in [&["M-1"][..], &["M-2"], &["M-1", "M-3"]] {
        let mut batch = Batch::new(vec![telemetry()]);
        for machine in machines {
            batch = batch.event(Op::Insert, 0, 1, row(machine, 0, 20.0));
        }
        stage.append(batch).await;
        stage.refine().await;
    }
    let mut tx = stage.read().await;
    let stream = stream::list(&mut tx, stage.source).await.unwrap()[0].id;
    let assets = asset::list(&mut tx).await.unwrap();
    let number = |key: &str| assets.iter().find(|a| a.key == key).unwrap().number;
    for (machines, expected) in [(&["M-1"][..], 2), (&["M-2"], 1), (&["M-2", "M-3"], 2), (&["M-1", "M-2"], 3)] {
        let numbers: Vec<i32> = machines.iter().map(|key| number(key)).collect();
        let chunks = chunk::list_chunks(&mut tx, stream, &numbers, i64::MIN / 4, i64::MAX / 4).await.unwrap();
        assert_eq!(chunks.len(), expected, "{machines:?}");
    }
    drop(tx);
    stage.execute("update sample_chunks set asset_numbers = null").await;
    let mut tx = stage.read().await;
    let chunks = chunk::list_chunks(&mut tx, stream, &[number("M-2")], i64::MIN / 4, i64::MAX / 4).await.unwrap();
    assert_eq!(chunks.len(), 3, "a chunk that does not say is read");
}

#[tokio::test]
async fn telemetry_becomes_samples_latest_values_and_marks() {
    let stage = Stage::new().await;
    let batch = Batch::new(vec![telemetry()])
        .event(Op::Insert, 0, 10, json!(["M-1", at(0), 20.5, 100, r#"{"oil":{"level":3}}"#]))
        .event(Op::Insert, 0, 10, json!(["M-2", at(1), 21.0, null, null]))
        .event(Op::Update, 0, 11, json!(["M-1", at(0), 22.5, [], []]))
        .event(Op::Delete, 0, 12, json!(["M-2", at(1), [], [], []]))
        .event(Op::Heartbeat, 0, 13, Value::Null);
    stage.append(batch).await;
    assert_eq!(stage.refine().await, Place { epoch: 1, seq: 6 });
    assert_eq!(
        samples(&stage).await,
        [
            "M-1 0 extra.oil.level Float(3.0)",
            "M-1 0 rpm Int(100)",
            "M-1 0 temp Float(22.5)",
            "M-2 1 rpm Null",
            "M-2 1 temp Float(21.0)"
        ]
    );
    let mut tx = stage.read().await;
    let latest = chunk::latest(&mut tx).await.unwrap();
    assert_eq!(latest.len(), 2);
    assert_eq!(latest[0].at, DAY);
    assert_eq!(latest[0].values.iter().map(|v| v.number).collect::<Vec<_>>(), [Some(22.5), Some(100.0), Some(3.0)]);
    assert_eq!(latest[1].values[1].number, None, "null is not zero");
    assert_eq!(stage.value("select sum(deletes_kept) from streams").await.unwrap(), "1");
    assert_eq!(stage.value("select count(*) from dirty_marks where minutes = 1").await.unwrap(), "2");
    assert_eq!(stage.value("select path || ' ' || count from extra_paths").await.unwrap(), "extra.oil.level 1");
    assert_eq!(
        stage.value("select path_source_at > change_source_at and events = 5 from refine_cursors").await.unwrap(),
        "true"
    );
    assert_eq!(stage.value("select events from source_minutes").await.unwrap(), "5");
}

#[tokio::test]
async fn the_same_group_again_changes_nothing() {
    let stage = Stage::new().await;
    stage.append(Batch::new(vec![telemetry()]).event(Op::Insert, 0, 10, row("M-1", 0, 20.5))).await;
    stage.append(Batch::new(vec![orders()]).event(Op::Insert, 0, 10, json!([1, "new", "n", "{}"]))).await;
    stage.refine().await;
    let (before, images_before) = (samples(&stage).await, images(&stage).await);
    // A worker that lost its place: the cursor goes back, as after a crash that was not one.
    stage.execute("update refine_cursors set next_seq = 1").await;
    stage.refine().await;
    assert_eq!(samples(&stage).await, before);
    assert_eq!(images(&stage).await, images_before);
    assert_eq!(stage.refine().await, Place { epoch: 1, seq: 3 });
}

#[tokio::test]
async fn rows_in_any_order_end_the_same() {
    let mut ends = Vec::new();
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let stage = Stage::new().await;
        let rows = [row("M-1", 5, 1.0), row("M-1", 65, 2.0), row("M-1", 125, 3.0)];
        for i in order {
            stage.append(Batch::new(vec![telemetry()]).event(Op::Insert, 0, 10, rows[i].clone())).await;
        }
        stage.refine().await;
        let mut tx = stage.read().await;
        let latest = chunk::latest(&mut tx).await.unwrap();
        ends.push((samples(&stage).await, latest[0].values[0].number));
    }
    assert_eq!(ends[0], ends[1]);
    assert_eq!(ends[0], ends[2]);
    assert_eq!(ends[0].1, Some(3.0));
}

#[tokio::test]
async fn a_snapshot_row_never_beats_a_streamed_one() {
    let stage = Stage::new().await;
    stage.append(Batch::new(vec![telemetry()]).event(Op::Insert, 0, 50, row("M-1", 0, 2.0))).await;
    stage
        .append(Batch::new(vec![telemetry()]).snapshot(0, "40:50:").read(0, 0, row("M-1", 0, 1.0)).read(
            0,
            0,
            row("M-1", 1, 1.5),
        ))
        .await;
    stage.refine().await;
    let temps: Vec<String> = samples(&stage).await.into_iter().filter(|l| l.contains("temp")).collect();
    assert_eq!(temps, ["M-1 0 temp Float(2.0)", "M-1 1 temp Float(1.5)"]);
}

#[tokio::test]
async fn long_rows_are_samples_too() {
    let stage = Stage::new().await;
    let long = schema(
        "public.machine_telemetry",
        &[
            ("id", "int8", true),
            ("machine_id", "int4", false),
            ("metric", "text", false),
            ("ts", "timestamptz", false),
            ("value", "float8", false),
            ("unit", "text", false),
        ],
    );
    let batch = Batch::new(vec![long])
        .event(Op::Insert, 0, 10, json!([1, 7, "temperature", at(0), 20.0, "C"]))
        .event(Op::Insert, 0, 10, json!([2, 7, "pressure", at(0), 5.0, "bar"]))
        .event(Op::Update, 0, 11, json!([1, 7, "temperature", at(0), 21.0, "C"]));
    stage.append(batch).await;
    stage.refine().await;
    let lines = samples(&stage).await;
    assert!(lines.contains(&"7 0 value[temperature] Float(21.0)".to_owned()), "{lines:?}");
    assert!(lines.contains(&"7 0 value[pressure] Float(5.0)".to_owned()), "{lines:?}");
    let unit = "select unit from metrics where name = 'pressure' and not extra";
    assert_eq!(stage.value(unit).await.unwrap(), "bar");
}

#[tokio::test]
async fn records_keep_what_did_not_change_and_leave_tombstones() {
    let stage = Stage::new().await;
    let batch = Batch::new(vec![orders()])
        .event(Op::Insert, 0, 10, json!([1, "new", "a long note", r#"{"prio":2,"tags":["x"]}"#]))
        .event(Op::Insert, 0, 10, json!([2, "new", "b", "{}"]))
        .event(Op::Update, 0, 11, json!([1, "released", [], []]))
        .event(Op::Delete, 0, 12, json!([2, [], [], []]))
        .event_with_old(Op::Update, 0, 13, json!([3, "moved", [], []]), json!([1, [], [], []]));
    stage.append(batch).await;
    // The stream did not carry the note; the chunk, which is beaten, fills it.
    stage.append(Batch::new(vec![orders()]).event(Op::Update, 0, 60, json!([4, "down", [], "{}"]))).await;
    stage
        .append(
            Batch::new(vec![orders()])
                .snapshot(0, "50:50:")
                .read(0, 0, json!([4, "new", "from the chunk", "{}"]))
                .read(0, 0, json!([5, "old", "c", "{}"]))
                .event(Op::Truncate, 0, 70, Value::Null)
                .event(Op::Insert, 0, 71, json!([6, "after", "d", "{}"])),
        )
        .await;
    let mut refiner = SourceRefiner::new(stage.ctx.clone(), stage.head().await, None);
    refiner.drain(&CancellationToken::new()).await.unwrap();
    // Group by group, the state before the truncate was this:
    let found = images(&stage).await;
    let alive: Vec<_> = found.iter().filter(|(_, image)| image.is_some()).collect();
    assert_eq!(alive.len(), 1, "{found:?}");
    assert_eq!(alive[0].0, "[6]");
    assert_eq!(stage.value("select count(*) from record_extras where key <> '[6]'").await.unwrap(), "0");
}

#[tokio::test]
async fn unchanged_columns_are_filled_across_groups() {
    let stage = Stage::new().await;
    let first = json!([1, "new", "a long note", r#"{"prio":2}"#]);
    stage.append(Batch::new(vec![orders()]).event(Op::Insert, 0, 10, first)).await;
    stage.refine().await;
    stage.append(Batch::new(vec![orders()]).event(Op::Update, 0, 11, json!([1, "released", [], []]))).await;
    stage.refine().await;
    let moved = Batch::new(vec![orders()]).event_with_old(
        Op::Update,
        0,
        13,
        json!([3, "moved", [], []]),
        json!([1, [], [], []]),
    );
    stage.append(moved).await;
    stage.refine().await;
    let image = json!({"id": 3, "status": "moved", "note": "a long note", "payload": r#"{"prio":2}"#});
    assert_eq!(images(&stage).await, [("[1]".to_owned(), None), ("[3]".to_owned(), Some(image))]);
    let extra = "select key || path || number from record_extras where path = 'payload.prio'";
    assert_eq!(stage.value(extra).await.unwrap(), "[3]payload.prio2");

    // Not carried, then filled by a chunk that the streamed event beats.
    stage.append(Batch::new(vec![orders()]).event(Op::Update, 0, 60, json!([4, "down", [], "{}"]))).await;
    stage.refine().await;
    assert_eq!(stage.value("select missing from records where key = '[4]'").await.unwrap(), "{note}");
    let chunk = Batch::new(vec![orders()]).snapshot(0, "50:50:").read(0, 0, json!([4, "new", "chunk", "{}"]));
    stage.append(chunk).await;
    stage.refine().await;
    let image =
        "select image->>'status' || ' ' || (image->>'note') || cardinality(missing) from records where key = '[4]'";
    assert_eq!(stage.value(image).await.unwrap(), "down chunk0");
}

#[tokio::test]
async fn states_follow_each_other_whatever_the_order() {
    let stage = Stage::new().await;
    let row = |id: i64, state: &str, second: i64| json!([id, "M-1", state, null, at(second)]);
    stage.append(Batch::new(vec![states()]).event(Op::Insert, 0, 1, row(1, "running", 0))).await;
    stage.append(Batch::new(vec![states()]).event(Op::Insert, 0, 2, row(2, "down", 100))).await;
    stage.refine().await;
    let intervals = async || {
        let mut tx = stage.read().await;
        let list = state::list_intervals(&mut tx, DAY, DAY + 86_400 * SECOND).await.unwrap();
        let second = |at: i64| (at - DAY) / SECOND;
        list.iter().map(|i| format!("{} {} {:?}", i.state, second(i.from), i.to.map(second))).collect::<Vec<_>>()
    };
    assert_eq!(intervals().await, ["running 0 Some(100)", "down 100 None"]);
    // Late, corrected, removed.
    stage.append(Batch::new(vec![states()]).event(Op::Insert, 0, 3, row(3, "idle", 50))).await;
    stage.refine().await;
    assert_eq!(intervals().await, ["running 0 Some(50)", "idle 50 Some(100)", "down 100 None"]);
    stage.append(Batch::new(vec![states()]).event(Op::Update, 0, 4, row(2, "set-up", 120))).await;
    stage.refine().await;
    assert_eq!(intervals().await, ["running 0 Some(50)", "idle 50 Some(120)", "set-up 120 None"]);
    stage.append(Batch::new(vec![states()]).event(Op::Delete, 0, 5, json!([3, [], [], [], []]))).await;
    stage.refine().await;
    assert_eq!(intervals().await, ["running 0 Some(120)", "set-up 120 None"]);
    stage.append(Batch::new(vec![states()]).event(Op::Delete, 0, 6, json!([2, [], [], [], []]))).await;
    stage.refine().await;
    assert_eq!(intervals().await, ["running 0 None"]);
}

#[tokio::test]
async fn machines_are_described_by_their_table() {
    let stage = Stage::new().await;
    let machine = json!(["M-1", "Press 1", "Line A", "Graz", "PX"]);
    let batch = Batch::new(vec![telemetry(), machines()])
        .event(Op::Insert, 0, 1, row("M-1", 0, 1.0))
        .event(Op::Insert, 1, 1, machine)
        .event(Op::Insert, 1, 1, json!(["M-2", "Press 2", null, "Graz", null]));
    stage.append(batch).await;
    stage.refine().await;
    let mut tx = stage.read().await;
    let assets = asset::list(&mut tx).await.unwrap();
    assert_eq!(assets.len(), 2);
    let first = &assets[0];
    assert_eq!((first.key.as_str(), first.name.as_str(), first.line.as_str()), ("M-1", "Press 1", "Line A"));
    assert_eq!(assets[0].site_id, assets[1].site_id);
    assert!(first.site_id.is_some());
}

#[tokio::test]
async fn a_poison_event_goes_to_dead_letters_and_its_neighbours_land() {
    let stage = Stage::new().await;
    let batch = Batch::new(vec![telemetry(), states()])
        .event(Op::Insert, 0, 1, row("M-1", 0, 1.0))
        .event(Op::Insert, 0, 1, json!(["M-1", "infinity", 1.0, 1, null]))
        .event(Op::Insert, 0, 1, json!([null, at(1), 1.0, 1, null]))
        .event(Op::Insert, 9, 1, json!([]))
        .event(Op::Insert, 0, 1, json!(["M-1", at(2)]))
        .event(Op::Poison, 0, 1, Value::Null)
        .event(Op::Insert, 1, 1, json!([1, "M-1", "running", null, "no time"]))
        .event(Op::Insert, 0, 1, json!(["M\u{0}2", at(3), "NaN", "a word", "not json \u{0}"]))
        .event(Op::Insert, 0, 1, row("M-1", 4, 4.0));
    stage.append(batch).await;
    assert_eq!(stage.refine().await, Place { epoch: 1, seq: 10 });
    assert_eq!(stage.value("select array_agg(seq order by seq) from dead_letters").await.unwrap(), "{2,3,4,5,6,7}");
    assert_eq!(
        stage.value("select cause from dead_letters where seq = 2").await.unwrap(),
        "column ts is not a time between the years 1 and 9999"
    );
    let lines = samples(&stage).await;
    assert!(lines.contains(&"M-1 4 temp Float(4.0)".to_owned()), "{lines:?}");
    assert!(lines.contains(&"M\u{2400}2 3 temp Float(NaN)".to_owned()), "{lines:?}");
    assert!(
        lines.contains(&"M\u{2400}2 3 rpm Text(\"a word\")".to_owned()),
        "a value of another type has a column beside"
    );
}

#[tokio::test]
async fn an_unreadable_segment_does_not_stop_its_source() {
    let stage = Stage::new().await;
    stage.append_body(b"no zstd", 100, 3).await;
    stage.append(Batch::new(vec![telemetry()]).event(Op::Insert, 0, 1, row("M-1", 0, 1.0))).await;
    assert_eq!(stage.refine().await, Place { epoch: 1, seq: 5 });
    assert_eq!(stage.value("select count(*) from dead_letters").await.unwrap(), "1");
    assert_eq!(samples(&stage).await.len(), 2);
}

#[tokio::test]
async fn gaps_and_epochs_are_passed_and_a_hole_is_not() {
    let stage = Stage::new().await;
    let one = |second| Batch::new(vec![telemetry()]).event(Op::Insert, 0, 1, row("M-1", second, 1.0));
    stage.append(one(0)).await;
    stage.jump(Some((2, 10)), 1, 10).await;
    stage.append(one(1)).await;
    stage.jump(None, 3, 1).await;
    stage.append(one(2)).await;
    assert_eq!(stage.refine().await, Place { epoch: 3, seq: 2 });
    assert_eq!(samples(&stage).await.len(), 6);
    stage.jump(None, 3, 7).await;
    stage.append(one(3)).await;
    assert_eq!(stage.refine().await, Place { epoch: 3, seq: 2 }, "without a marker nothing is skipped");
}

#[tokio::test]
async fn a_time_ahead_of_its_receipt_is_kept_but_never_the_last_value() {
    let stage = Stage::new().await;
    let now = clarity_runtime::clock::now_us();
    let second = |s: i64| (now - DAY) / SECOND + s;
    let batch = Batch::new(vec![telemetry()]).event(Op::Insert, 0, 1, row("M-1", second(0), 1.0)).event(
        Op::Insert,
        0,
        1,
        row("M-1", second(7200), 99.0),
    );
    stage.append(batch).await;
    stage.refine().await;
    let mut tx = stage.read().await;
    assert_eq!(chunk::latest(&mut tx).await.unwrap()[0].values[0].number, Some(1.0));
    assert_eq!(samples(&stage).await.len(), 4);
}

#[tokio::test]
async fn an_older_token_is_refused() {
    let stage = Stage::new().await;
    stage.append(Batch::new(vec![telemetry()]).event(Op::Insert, 0, 1, row("M-1", 0, 1.0))).await;
    let fence = stage.fence(refine::ROLE).await;
    let heir = stage.another_holder().await;
    // A holder that is there keeps what it has, but for the other's share.
    let partition = stage.head().await.partition;
    assert_eq!(leased(&heir).await.len(), 0);
    // Its process is gone, and with it its sessions: what it held is taken at once, well before it runs out.
    stage.end_sessions().await;
    let taken = leased(&heir).await;
    let newer = taken.iter().find(|l| l.partition == partition).unwrap();
    assert_eq!(taken.len(), PARTITIONS as usize);
    assert!(newer.token > fence.token);
    // It was not gone, only cut off: what it wakes to write is refused.
    let mut paused = SourceRefiner::new(stage.ctx.clone(), stage.head().await, Some(fence));
    let refused = paused.drain(&CancellationToken::new()).await.unwrap_err();
    assert!(matches!(refused.downcast_ref(), Some(StoreError::Fenced)), "{refused:#}");
    assert!(samples(&stage).await.is_empty());
    let fence = Fence { token: newer.token, ..fence };
    let mut refiner = SourceRefiner::new(heir, stage.head().await, Some(fence));
    refiner.drain(&CancellationToken::new()).await.unwrap();
    assert_eq!(samples(&stage).await.len(), 2);
}

#[tokio::test]
async fn a_frozen_holder_is_followed_when_its_leases_run_out() {
    let stage = Stage::new().await;
    let fence = stage.fence(refine::ROLE).await;
    let heir = stage.another_holder().await;
    assert_eq!(leased(&heir).await.len(), 0);
    let past = "interval '1 minute'";
    stage.execute(&format!("update ops.partition_leases set expires_at = expires_at - {past}")).await;
    stage.execute(&format!("update ops.lease_holders set seen_at = seen_at - {past}")).await;
    let taken = leased(&heir).await;
    assert!(taken.iter().any(|l| l.partition == fence.partition && l.token > fence.token), "{taken:?}");
}

/// What a holder has of refine's partitions, after looking what is free.
async fn leased(ctx: &WorkerContext) -> Vec<Lease> {
    let mut tx = ctx.system.begin().await.unwrap();
    let leases = lease::renew(&mut tx, refine::ROLE, ctx.holder).await.unwrap();
    tx.commit().await.unwrap();
    leases
}

#[tokio::test]
async fn the_role_hears_of_new_segments() {
    let stage = Stage::new().await;
    let stop = CancellationToken::new();
    let role = tokio::spawn(refine::run(stage.ctx.clone(), stop.clone()));
    for second in 0..3 {
        stage.append(Batch::new(vec![telemetry()]).event(Op::Insert, 0, 1, row("M-1", second, 1.0))).await;
        clarity_testkit::wait_until("it is refined", std::time::Duration::from_secs(10), || async {
            samples(&stage).await.len() as i64 == 2 * (second + 1)
        })
        .await;
    }
    stop.cancel();
    role.await.unwrap().unwrap();
    let held = "select count(*) from ops.partition_leases where expires_at > now()";
    assert_eq!(stage.value(held).await.unwrap(), "0", "the leases are given back");
}
