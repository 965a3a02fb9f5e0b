//! Retention as the role runs it: what is due goes with its proof, and what was made of it stays right.

use crate::stage::*;
use clarity_domain::retention::DataClass;
use clarity_store::ingest::PARTITIONS;
use clarity_wire::body::Op;
use clarity_workers::retain::{self, Done, workspace};
use clarity_workers::{audit, rebuild, verify};
use serde_json::json;
use tokio_util::sync::CancellationToken;

async fn turn(stage: &Stage) -> Vec<Done> {
    workspace(&stage.ctx, &stage.head().await.scope, &CancellationToken::new()).await.unwrap()
}

fn rows(all: &[Done], class: DataClass) -> i64 {
    all.iter().find(|done| done.class == class).unwrap().removed.rows
}

async fn keep(stage: &Stage, class: &str, days: i32) {
    let sql = format!(
        "insert into retention_policies (workspace_id, data_class, keep_days)
           select id, '{class}', {days} from auth.workspaces where slug = '{}'
         on conflict (workspace_id, data_class) do update set keep_days = excluded.keep_days",
        stage.slug
    );
    stage.execute(&sql).await;
}

/// A workspace that keeps some for a time.
async fn stage() -> Stage {
    let stage = Stage::new().await;
    for (class, days) in [("bronze", 30), ("samples", 400), ("rollup_1m", 400)] {
        keep(&stage, class, days).await;
    }
    stage
}

/// One row a minute for two hours, so many seconds after the stage's day began.
async fn write(stage: &Stage, from: i64, value: f64) {
    let mut batch = Batch::new(vec![telemetry()]);
    for minute in 0..120 {
        batch = batch.event(Op::Insert, 0, 1, json!(["M-1", at(from + minute * 60), value, minute, null]));
    }
    stage.append(batch).await;
    stage.refine().await;
    stage.execute("update dirty_marks set changed_at = changed_at - interval '1 hour'").await;
    stage.roll_up().await;
    stage.execute("update sample_chunks set created_at = created_at - interval '2 hours' where not sealed").await;
    stage.compact().await;
}

/// Long enough ago for every policy below.
const OLD: i64 = -3000 * 86_400;

const HOURS: &str =
    "select string_agg(counts::text || sums::text, ' ' order by from_at) from rollups where grain = 3600";

#[tokio::test]
async fn a_workspace_that_has_said_nothing_keeps_everything() {
    let stage = Stage::new().await;
    write(&stage, OLD, 2.0).await;
    assert!(turn(&stage).await.iter().all(|done| done.removed.rows == 0));
    assert_ne!(stage.value("select count(*) from sample_chunks").await.unwrap(), "0");
}

#[tokio::test]
async fn what_is_due_goes_once_with_its_proof_and_figures_stay() {
    let stage = stage().await;
    write(&stage, OLD, 2.0).await;
    let hours = stage.value(HOURS).await.unwrap();
    let done = turn(&stage).await;
    assert_eq!(rows(&done, DataClass::Samples), 120);
    assert_eq!(rows(&done, DataClass::Minutes), 120);
    assert_eq!((rows(&done, DataClass::Hours), rows(&done, DataClass::Bronze)), (0, 0), "bronze came today");
    assert_eq!(stage.value("select count(*) from sample_chunks").await.unwrap(), "0");
    assert_eq!(stage.value(HOURS).await.unwrap(), hours);
    let proof = "select string_agg(data_class || ' ' || rows_removed || ' ' || (bytes_freed > 0) || ' ' || rows_kept, ', ' order by data_class)
                 from retention_runs where rows_removed > 0 and finished_at is not null";
    assert_eq!(stage.value(proof).await.unwrap(), "rollup_1m 120 true 0, samples 120 true 0");
    assert_eq!(stage.value("select count(*) from retention_runs").await.unwrap(), "9", "the others' figures are noted");
    let told = "select string_agg(actor_name || ' ' || object_id || ' ' || (after->>'rows'), ', ' order by seq)
                from audit_entries where act = 'retention.run'";
    assert_eq!(stage.value(told).await.unwrap(), "retain samples 120, retain rollup_1m 120");
    // Again: there is nothing, and nothing is told.
    assert!(turn(&stage).await.iter().all(|done| done.removed.rows == 0));
    assert_eq!(stage.value("select count(*) from retention_runs").await.unwrap(), "9");
    assert!(audit::verify(&stage.ctx, &stage.slug).await.unwrap().broken.is_none());
    // What retention took is no difference.
    let (_, differences) = verify::verify(&stage.ctx, &stage.slug).await.unwrap();
    assert_eq!(differences.lines(), [""; 0]);
}

#[tokio::test]
async fn what_comes_late_does_not_spoil_figures_whose_samples_are_gone() {
    let stage = stage().await;
    write(&stage, OLD, 2.0).await;
    turn(&stage).await;
    let hours = stage.value(HOURS).await.unwrap();
    let mut late = Batch::new(vec![telemetry()]);
    late = late.event(Op::Insert, 0, 2, json!(["M-1", at(OLD + 30), 99.0, 1, null]));
    stage.append(late).await;
    stage.refine().await;
    stage.roll_up().await;
    assert_eq!(stage.value(HOURS).await.unwrap(), hours);
    assert_eq!(stage.value("select count(*) from dirty_marks").await.unwrap(), "0", "it is not waited for");
    // Newer history of the same machine is rolled up as ever.
    write(&stage, OLD + 10 * 86_400, 3.0).await;
    assert_ne!(stage.value(HOURS).await.unwrap(), hours);
}

#[tokio::test]
async fn without_its_bronze_a_source_is_neither_rebuilt_nor_compared() {
    let stage = stage().await;
    write(&stage, 0, 2.0).await;
    let mut later = Batch::new(vec![telemetry()]);
    later = later.event(Op::Insert, 0, 2, json!(["M-1", at(9000), 1.0, 1, null]));
    stage.append(later).await;
    // Both segments are old; the second is not refined yet.
    stage
        .execute(
            "create table bronze_segments_20260101 partition of bronze_segments for values from ('2026-01-01') to ('2026-01-02');
             select protect_partition('bronze_segments_20260101');
             alter table bronze_segments_20260101 owner to clarity_owner;
             update bronze_segments set received_on = '2026-01-01', received_at = '2026-01-01 01:00Z'",
        )
        .await;
    assert_eq!(rows(&turn(&stage).await, DataClass::Bronze), 1);
    assert_eq!(retain::drop_partitions(&stage.ctx).await.unwrap(), 0, "a segment is in it");
    stage.refine().await;
    assert_eq!(rows(&turn(&stage).await, DataClass::Bronze), 1);
    assert_eq!(retain::drop_partitions(&stage.ctx).await.unwrap(), 1);
    let refused = rebuild::rebuild(&stage.ctx, &stage.head().await.scope, stage.source).await.unwrap_err().to_string();
    assert!(refused.contains("retention removed bronze before epoch 1"), "{refused}");
    assert_ne!(stage.value("select count(*) from sample_chunks").await.unwrap(), "0");
    let (report, differences) = verify::verify(&stage.ctx, &stage.slug).await.unwrap();
    assert_eq!((report.not_compared, differences.lines().len()), (1, 0));
}

#[tokio::test]
async fn a_hold_stops_all_of_it() {
    let stage = stage().await;
    write(&stage, OLD, 2.0).await;
    stage
        .execute(
            "insert into legal_holds (workspace_id, id, reason, placed_by)
               select id, gen_random_uuid(), 'case 7', gen_random_uuid() from auth.workspaces",
        )
        .await;
    let done = turn(&stage).await;
    assert!(done.iter().all(|done| done.removed.rows == 0));
    assert!(done.iter().any(|done| done.held));
    stage.execute("update legal_holds set lifted_at = now()").await;
    assert_eq!(rows(&turn(&stage).await, DataClass::Samples), 120);
}

#[tokio::test]
async fn the_command_says_what_it_did_in_the_log() {
    let stage = stage().await;
    write(&stage, OLD, 2.0).await;
    keep(&stage, "rollup_1h", 30).await;
    retain::run_command(&stage.ctx, &stage.slug).await.unwrap();
    let told = "select string_agg(actor_kind || ' ' || object_id, ', ' order by seq) from audit_entries where act = 'retention.run'";
    assert_eq!(stage.value(told).await.unwrap(), "support , service samples, service rollup_1m, service rollup_1h");
    assert!(retain::run_command(&stage.ctx, "no-such-workspace").await.is_err());
}

#[tokio::test]
async fn a_workspace_without_a_source_has_its_turn_in_one_partition() {
    let stage = Stage::new().await;
    let bare = "0192f000-0000-7000-8000-0000000000ff";
    stage
        .execute(&format!(
            "insert into auth.workspaces (id, slug, name, created_at)
             values ('{bare}', 'bare', 'Without a source', now() - interval '100 days')"
        ))
        .await;
    // In which of them it is, and how often.
    let turns = async || {
        let mut found = Vec::new();
        for partition in 0..PARTITIONS {
            let all = retain::workspaces(&stage.ctx, &[partition]).await.unwrap();
            found.extend(all.into_iter().filter(|scope| scope.workspace_id().to_string() == bare));
        }
        found
    };
    let found = turns().await;
    assert_eq!(found.len(), 1, "one holder takes its turn");
    workspace(&stage.ctx, &found[0], &CancellationToken::new()).await.unwrap();
    let runs = format!("select count(*) from retention_runs where workspace_id = '{bare}' and data_class = 'audit'");
    assert_eq!(stage.value(&runs).await.unwrap(), "1");
    // With every partition there is the stage's own workspace too, by its source.
    let all: Vec<i32> = (0..PARTITIONS).collect();
    assert_eq!(retain::workspaces(&stage.ctx, &all).await.unwrap().len(), 2);

    // Of one whose erasure has begun everything goes: nobody takes its turn.
    stage
        .execute(&format!(
            "insert into auth.users (id, email, name, password_hash) values ('{bare}', 'maja@n.example', 'Maja', 'x');
             insert into auth.deletions (workspace_id, requested_by, requested_by_name, due_at, begun_at)
               values ('{bare}', '{bare}', 'Maja', now(), now())"
        ))
        .await;
    assert_eq!(turns().await, []);
}
