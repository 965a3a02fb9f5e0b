//! Compaction on a real database: the same samples stand elsewhere, whatever comes late and whoever else compacts.

use crate::refine::samples;
use crate::stage::*;
use clarity_wire::body::Op;
use clarity_workers::{compact, verify};
use serde_json::json;

const CHUNKS: &str = "select string_agg(format('%s %s', asset_number, row_count), ', ' order by asset_number, from_at)
                      from sample_chunks where sealed";
const HOT: &str = "select count(*) from sample_chunks where not sealed";

/// One row a second of two machines in `[from, to)`, in batches of 50 rows, a hot chunk each.
async fn write(stage: &Stage, from: i64, to: i64) {
    for start in (from..to).step_by(25) {
        let mut batch = Batch::new(vec![telemetry()]);
        for second in start..(start + 25).min(to) {
            for machine in ["M-1", "M-2"] {
                let value = (second % 13) as f64;
                batch = batch.event(Op::Insert, 0, 1, json!([machine, at(second), value, second, {"oil": second % 3}]));
            }
        }
        stage.append(batch).await;
        stage.refine().await;
    }
}

#[tokio::test]
async fn sealed_chunks_are_of_one_asset_and_day_and_are_filled_up() {
    let stage = Stage::new().await;
    write(&stage, 0, 15).await;
    let before = samples(&stage).await;
    assert_eq!(stage.compact().await, 0, "too little to be worth it");
    // Across midnight.
    write(&stage, 86_300, 86_500).await;
    write(&stage, 15, 100).await;
    let all = samples(&stage).await;
    assert!(all.len() > before.len() && before.iter().all(|line| all.contains(line)));
    assert!(stage.compact().await > 0);
    assert_eq!(samples(&stage).await, all);
    assert_eq!(stage.value(HOT).await.unwrap(), "0");
    // One chunk an asset and day: the hour at the start and the last seconds before midnight are the same UTC day.
    assert_eq!(stage.value(CHUNKS).await.unwrap(), "1 200, 1 100, 2 200, 2 100");
    // The next batch fills the small ones up, and what has a good size is left alone.
    write(&stage, 86_500, 87_000).await;
    assert!(stage.compact().await > 0);
    assert_eq!(stage.value(CHUNKS).await.unwrap(), "1 200, 1 600, 2 200, 2 600");
    write(&stage, 87_000, 87_200).await;
    assert!(stage.compact().await > 0);
    assert_eq!(stage.value(CHUNKS).await.unwrap(), "1 200, 1 600, 1 200, 2 200, 2 600, 2 200");
    stage.roll_up().await;
    let (report, differences) = verify::verify(&stage.ctx, &stage.slug).await.unwrap();
    assert_eq!((report.rows, differences.lines().len()), (2_000, 0), "{:?}", differences.lines());
}

#[tokio::test]
async fn history_that_comes_in_two_parts_at_once_is_not_written_again() {
    let stage = Stage::new().await;
    let later = 20_000;
    let both = async |from: i64| {
        let mut batch = Batch::new(vec![telemetry()]);
        for second in from..from + 600 {
            for second in [second, later + second] {
                batch = batch.event(Op::Insert, 0, 1, json!(["M-1", at(second), second as f64, 1, null]));
            }
        }
        stage.append(batch).await;
        stage.refine().await;
        assert!(stage.compact().await > 0);
    };
    both(0).await;
    assert_eq!(stage.value(CHUNKS).await.unwrap(), "1 600, 1 600");
    let ids = "select string_agg(id::text, ' ' order by id) from sample_chunks where sealed";
    let first = stage.value(ids).await.unwrap();
    both(600).await;
    assert_eq!(stage.value(CHUNKS).await.unwrap(), "1 600, 1 600, 1 600, 1 600");
    let kept = stage.value(ids).await.unwrap();
    assert!(first.split(' ').all(|id| kept.contains(id)), "{first} is not in {kept}");
    // The next batch closes the hole and bridges it: nothing is lost or doubled.
    both(later - 600).await;
    let (report, differences) = verify::verify(&stage.ctx, &stage.slug).await.unwrap();
    assert_eq!((report.rows, differences.lines().len()), (3_600, 0), "{:?}", differences.lines());
}

#[tokio::test]
async fn what_comes_late_finds_its_place() {
    let stage = Stage::new().await;
    write(&stage, 0, 700).await;
    assert!(stage.compact().await > 0);
    // Corrections of sealed rows, a row between two, and enough new ones to be worth sealing.
    let late = Batch::new(vec![telemetry()])
        .event(Op::Update, 0, 2, json!(["M-1", at(10), -5.0, [], []]))
        .event(Op::Update, 0, 2, json!(["M-2", at(20), null, 7, {"oil": 9}]))
        .event(Op::Insert, 0, 2, json!(["M-1", at(30).replace("30Z", "30.5Z"), 1.5, 1, null]));
    stage.append(late).await;
    stage.refine().await;
    write(&stage, 700, 900).await;
    let all = samples(&stage).await;
    assert!(all.iter().any(|line| line == "M-1 10 temp Float(-5.0)"), "{:?}", &all[..3]);
    assert!(stage.compact().await > 0);
    assert_eq!(samples(&stage).await, all);
    assert_eq!(stage.value("select sum(row_count) from sample_chunks").await.unwrap(), "1801");
    let overlaps = "select count(*) from sample_chunks a join sample_chunks b
                    on a.sealed and b.sealed and a.id < b.id and a.asset_number = b.asset_number
                    and a.from_at <= b.to_at and b.from_at <= a.to_at";
    assert_eq!(stage.value(overlaps).await.unwrap(), "0");
}

#[tokio::test]
async fn compactors_beside_each_other_double_nothing() {
    let stage = Stage::new().await;
    write(&stage, 0, 300).await;
    let all = samples(&stage).await;
    stage.execute("update sample_chunks set created_at = created_at - interval '11 seconds'").await;
    let scope = stage.head().await.scope;
    let pass = || compact::pass(&stage.ctx, &scope);
    let done = tokio::join!(pass(), pass(), pass());
    for result in [done.0, done.1, done.2] {
        // Two that take the same rows: one waits for the other, finds them gone, and leaves it.
        result.unwrap();
    }
    assert_eq!(samples(&stage).await, all);
    assert_eq!(stage.value("select sum(row_count) from sample_chunks").await.unwrap(), "600");
}
