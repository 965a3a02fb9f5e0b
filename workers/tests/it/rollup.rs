//! Rollups on a real database: equal to what the samples give, whatever came in between; and the pages' read of both.

use crate::stage::*;
use clarity_domain::ids::StreamId;
use clarity_series::{Aggregate, Projection, Rows, decode, merge, reduce};
use clarity_service::series_query::{SeriesQuery, series};
use clarity_store::{chunk, metric, rollup, stream};
use clarity_wire::body::Op;
use clarity_workers::rollup::buckets;
use serde_json::json;

const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

fn row(asset: &str, second: i64, temp: f64) -> serde_json::Value {
    json!([asset, at(second), temp, 100, null])
}

async fn temp(stage: &Stage) -> (StreamId, i32) {
    let mut tx = stage.read().await;
    let stream = stream::list(&mut tx, stage.source).await.unwrap()[0].id;
    let metrics = metric::list(&mut tx).await.unwrap();
    (stream, metrics.iter().find(|m| m.column_name == "temp").unwrap().number)
}

/// What the stored samples give, and what the rollups say.
async fn both(stage: &Stage, grain: i32, step: i64, from: i64, to: i64) -> (Vec<Aggregate>, Vec<Aggregate>) {
    let (stream, number) = temp(stage).await;
    let mut tx = stage.read().await;
    let chunks = chunk::list_chunks(&mut tx, stream, &[1], from, to).await.unwrap();
    let parts: Vec<Rows> = chunks.iter().map(|c| decode(&c.body, &Projection::all()).unwrap()).collect();
    let expected = reduce(&merge(&parts).0, number as u32, from, to, step);
    let rows = rollup::list_encoded(&mut tx, stream, grain, &[(1, from, to)]).await.unwrap();
    let found = rows.iter().map(|r| buckets::decode(r).unwrap()[&number].clone()).collect();
    (expected.into_iter().map(|b| b.aggregate).collect(), found)
}

#[tokio::test]
async fn rollups_equal_what_the_samples_give() {
    let stage = Stage::new().await;
    // Two hours, a reading every 7 s, in three batches out of order; then one corrected.
    for part in [2, 0, 1] {
        let mut batch = Batch::new(vec![telemetry()]);
        for second in (0..7200).step_by(7).filter(|s| s / 7 % 3 == part) {
            batch = batch.event(Op::Insert, 0, 1, row("M-1", second, (second % 97) as f64 * 0.1));
        }
        stage.append(batch).await;
        stage.refine().await;
        stage.roll_up().await;
    }
    stage.append(Batch::new(vec![telemetry()]).event(Op::Update, 0, 2, row("M-1", 7, -50.0))).await;
    stage.refine().await;
    stage.roll_up().await;
    assert_eq!(stage.value("select count(*) from dirty_marks").await.unwrap(), "0");
    let (expected, found) = both(&stage, rollup::MINUTE_GRAIN, MINUTE, DAY, DAY + 2 * HOUR).await;
    assert_eq!(expected.len(), 120);
    assert_eq!(found, expected);
    assert_eq!(found[0].min(), Some(-50.0));
    for (grain, step, count) in [(rollup::HOUR_GRAIN, HOUR, 2), (rollup::DAY_GRAIN, 24 * HOUR, 1)] {
        let (expected, found) = both(&stage, grain, step, DAY, DAY + 24 * HOUR).await;
        assert_eq!(found.len(), count);
        for (a, b) in expected.iter().zip(&found) {
            assert_eq!(
                (a.count(), a.min(), a.max(), a.first(), a.last()),
                (b.count(), b.min(), b.max(), b.first(), b.last())
            );
            assert!((a.sum() - b.sum()).abs() < 1e-9);
            assert_eq!(a.sketch(), b.sketch());
        }
    }
}

#[tokio::test]
async fn a_day_is_the_site_s_own() {
    let stage = Stage::new().await;
    // 18:29 and 18:31 UTC: before and after midnight in Kolkata.
    let batch = Batch::new(vec![telemetry()]).event(Op::Insert, 0, 1, row("M-1", 18 * 3600 + 29 * 60, 1.0)).event(
        Op::Insert,
        0,
        1,
        row("M-1", 18 * 3600 + 31 * 60, 2.0),
    );
    stage.append(batch).await;
    stage.refine().await;
    stage.move_to_pune().await;
    stage.roll_up().await;
    let days =
        "select array_agg(to_char(from_at at time zone 'utc', 'DD HH24:MI') || ' ' || counts[1] order by from_at)
                from rollups where grain = 86400";
    assert_eq!(stage.value(days).await.unwrap(), r#"{"22 18:30 1","23 18:30 1"}"#);
}

#[tokio::test]
async fn a_read_joins_closed_buckets_and_the_open_tail() {
    let stage = Stage::new().await;
    let mut batch = Batch::new(vec![telemetry()]);
    for second in (0..5400).step_by(10) {
        batch = batch.event(Op::Insert, 0, 1, row("M-1", second, second as f64));
    }
    stage.append(batch).await;
    stage.refine().await;
    let (stream, metric_number) = temp(&stage).await;
    let read = async |max_points: u32| {
        let query = SeriesQuery {
            stream,
            metric_number,
            rolled_up: true,
            assets: vec![1],
            from: DAY,
            to: DAY + 2 * HOUR,
            max_points,
        };
        series(&mut stage.read().await, &query).await.unwrap()
    };
    // All open, then all closed, then both, by minutes and by hours.
    for max_points in [120, 2, 1000] {
        let open = read(max_points).await;
        let counted: u64 = open.series[0].1.iter().flatten().map(|b| b.count).sum();
        assert_eq!(counted, 540);
        stage.roll_up().await;
        assert_eq!(read(max_points).await, open);
        stage.append(Batch::new(vec![telemetry()]).event(Op::Insert, 0, 1, row("M-1", 5, 1e6))).await;
        stage.refine().await;
        let grid = read(max_points).await;
        assert_eq!(grid.series[0].1[0].unwrap().max, 1e6, "a late sample is seen before it is rolled up");
        stage.execute("delete from sample_chunks where row_count = 1").await;
        stage.execute("update dirty_marks set minutes = ~0::bigint >> 4, taking = 0").await;
        assert_eq!(read(max_points).await, open);
    }
}

#[tokio::test]
async fn what_a_crash_left_taken_is_taken_again() {
    let stage = Stage::new().await;
    stage.append(Batch::new(vec![telemetry()]).event(Op::Insert, 0, 1, row("M-1", 0, 1.0))).await;
    stage.refine().await;
    let head = stage.head().await;
    let mut tx = stage.ctx.worker.begin(&head.scope).await.unwrap();
    assert_eq!(rollup::take(&mut tx, stage.source, 0, 10).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    // A sample of the same minute while it is being computed.
    stage.append(Batch::new(vec![telemetry()]).event(Op::Insert, 0, 1, row("M-1", 1, 3.0))).await;
    stage.refine().await;
    stage.roll_up().await;
    assert_eq!(stage.value("select count(*) from dirty_marks").await.unwrap(), "0");
    assert_eq!(stage.value("select sums[1] from rollups where grain = 60").await.unwrap(), "4");
}
