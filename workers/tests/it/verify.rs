//! Verify finds what differs and nothing else; a rebuild sets it right; letters are replayed once.

use crate::refine::samples;
use crate::stage::*;
use clarity_domain::mapping::StreamKind;
use clarity_store::refine::Place;
use clarity_store::{mapping, stream};
use clarity_wire::body::Op;
use clarity_workers::{dead_letters, rebuild, verify};
use serde_json::{Value, json};

/// A bit of everything.
async fn plant() -> Stage {
    let stage = Stage::new().await;
    let mut batch = Batch::new(vec![telemetry(), orders(), states(), machines()]);
    for second in 0..200 {
        let extra = json!({"oil": second % 7, "note": if second % 3 == 0 { json!("x") } else { json!(null) }});
        let row = json!([format!("M-{}", second % 4), at(second * 40), second as f64 * 0.3, second, extra]);
        batch = batch.event(Op::Insert, 0, 10, row);
    }
    let batch = batch
        .event(Op::Update, 0, 11, json!(["M-1", at(40), 7.5, [], []]))
        .event(Op::Insert, 0, 11, json!(["M-1", "never", 7.5, 1, null]))
        .event(Op::Insert, 1, 11, json!([1, "new", "long", r#"{"a":1}"#]))
        .event(Op::Update, 1, 12, json!([1, "done", [], []]))
        .event(Op::Insert, 1, 12, json!([2, "new", "b", "{}"]))
        .event(Op::Delete, 1, 13, json!([2, [], [], []]))
        .event(Op::Insert, 2, 13, json!([1, "M-1", "running", null, at(0)]))
        .event(Op::Insert, 2, 13, json!([2, "M-1", "down", "jam", at(500)]))
        .event(Op::Insert, 3, 13, json!(["M-1", "Press", "A", "Graz", "PX"]));
    stage.append(batch).await;
    stage.append(Batch::new(vec![orders()]).snapshot(0, "12:12:").read(0, 0, json!([1, "old", "long", "{}"]))).await;
    stage.refine().await;
    stage.roll_up().await;
    stage
}

#[tokio::test]
async fn nothing_differs_after_refining() {
    let stage = plant().await;
    let (report, differences) = verify::verify(&stage.ctx, &stage.slug).await.unwrap();
    assert_eq!(differences.lines(), [""; 0]);
    assert_eq!((report.streams, report.records, report.intervals, report.mismatched), (4, 5, 2, 0));
    assert!(report.samples > 400 && report.buckets > 0, "{report:?}");
}

#[tokio::test]
async fn days_that_begin_between_full_hours_agree() {
    let stage = Stage::new().await;
    let mut batch = Batch::new(vec![telemetry()]);
    // Across midnight in Kolkata, at 18:30 UTC, with values whose sum depends on the order of adding.
    for second in (17 * 3600..20 * 3600).step_by(30) {
        batch = batch.event(Op::Insert, 0, 1, json!(["M-1", at(second), second as f64 * 0.1, 1, null]));
    }
    stage.append(batch).await;
    stage.refine().await;
    stage.move_to_pune().await;
    stage.roll_up().await;
    assert_eq!(stage.value("select count(*) from rollups where grain = 86400").await.unwrap(), "2");
    let (_, differences) = verify::verify(&stage.ctx, &stage.slug).await.unwrap();
    assert_eq!(differences.lines(), [""; 0]);
}

#[tokio::test]
async fn each_planted_difference_is_found_and_a_rebuild_mends_it() {
    let stage = plant().await;
    for damage in [
        "update records set image = jsonb_set(image, '{status}', '\"other\"') where key = '[1]'",
        "delete from records where key = '[1]'",
        "update state_intervals set to_at = to_at + interval '1 s' where to_at is not null",
        "delete from state_intervals where state = 'down'",
        "update latest_samples set numbers[1] = 1e9 where asset_number = 1",
        "delete from sample_chunks",
        "delete from dead_letters",
        "update rollups set aggregates = (select aggregates from rollups where grain = 86400 limit 1),
           metric_numbers = (select metric_numbers from rollups where grain = 86400 limit 1)
         where grain = 60 and asset_number = 1",
        "update rollups set aggregates = (select aggregates from rollups where grain = 60 limit 1),
           metric_numbers = (select metric_numbers from rollups where grain = 60 limit 1)
         where grain = 86400 and asset_number = 1",
        "delete from rollups where grain = 86400 and asset_number = 2",
        "update rollups set from_at = from_at - interval '1 day', to_at = to_at - interval '1 day'
         where grain = 86400 and asset_number = 3",
    ] {
        stage.execute(damage).await;
        let (report, _) = verify::verify(&stage.ctx, &stage.slug).await.unwrap();
        assert!(report.mismatched > 0, "not found: {damage}");
        rebuild::run_command(&stage.ctx, &stage.slug).await.unwrap();
        stage.roll_up().await;
        let (report, differences) = verify::verify(&stage.ctx, &stage.slug).await.unwrap();
        assert_eq!(report.mismatched, 0, "{damage}: {:?}", differences.lines());
    }
    assert_eq!(stage.value("select generation from refine_cursors").await.unwrap(), "12");
    assert_eq!(stage.value("select sum(events) from streams").await.unwrap(), "210", "a rebuild counts nothing twice");
}

#[tokio::test]
async fn a_rebuild_without_all_of_bronze_changes_nothing() {
    let stage = plant().await;
    let before = samples(&stage).await;
    stage.execute("delete from bronze_segments where first_seq = 1").await;
    assert!(rebuild::run_command(&stage.ctx, &stage.slug).await.is_err());
    assert_eq!(samples(&stage).await, before);
}

#[tokio::test]
async fn letters_are_replayed_once_after_a_fix() {
    let stage = Stage::new().await;
    let odd = |time: Value| json!(["M-1", time, 5.0, 1, null]);
    let batch = Batch::new(vec![telemetry()])
        .event(Op::Insert, 0, 1, json!(["M-1", at(0), 1.0, 1, null]))
        .event(Op::Insert, 0, 1, odd(json!("soon")))
        .event(Op::Insert, 0, 1, odd(json!("later")))
        .event(Op::Poison, 0, 1, Value::Null);
    stage.append(batch).await;
    stage.refine().await;
    dead_letters::replay_command(&stage.ctx, &stage.slug).await.unwrap();
    let open = "select count(*) from dead_letters where replayed_at is null";
    assert_eq!(stage.value(open).await.unwrap(), "3", "without a fix they fail again");

    // The fix: this table is no telemetry.
    let head = stage.head().await;
    let mut tx = stage.ctx.worker.begin(&head.scope).await.unwrap();
    let id = stream::list(&mut tx, stage.source).await.unwrap()[0].id;
    let mut spec = mapping::list(&mut tx, stage.source).await.unwrap()[0].spec.clone();
    spec.kind = StreamKind::Records;
    mapping::add(&mut tx, id, Place { epoch: 1, seq: 5 }, &spec).await.unwrap();
    tx.commit().await.unwrap();
    for _ in 0..2 {
        dead_letters::replay_command(&stage.ctx, &stage.slug).await.unwrap();
    }
    assert_eq!(stage.value(open).await.unwrap(), "1", "what the agent could not decode stays");
    assert_eq!(stage.value("select array_agg(seq order by seq) from records").await.unwrap(), "{2,3}");
    dead_letters::list_command(&stage.ctx, &stage.slug).await.unwrap();

    let (report, differences) = verify::verify(&stage.ctx, &stage.slug).await.unwrap();
    assert_eq!(report.mismatched, 0, "{:?}", differences.lines());
    rebuild::run_command(&stage.ctx, &stage.slug).await.unwrap();
    assert_eq!(stage.value("select array_agg(seq order by seq) from records").await.unwrap(), "{2,3}");
    assert_eq!(stage.value(open).await.unwrap(), "1");
}
