//! Erasure as the role runs it: while an agent writes, killed in the middle, held, and taken back.

use crate::stage::*;
use clarity_store::StoreError;
use clarity_wire::body::Op;
use clarity_workers::erase::{self, Erased, Swept};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const USER: &str = "44444444-4444-7444-8444-444444444444";

/// A workspace with samples, states and rows, an owner, and a request for its end.
async fn stage(due_at: &str) -> Stage {
    let stage = Stage::new().await;
    let mut batch = Batch::new(vec![telemetry(), orders()]);
    for minute in 0..30 {
        batch = batch.event(Op::Insert, 0, 1, json!(["M-1", at(minute * 60), 1.5, minute, null]));
        batch = batch.event(Op::Insert, 1, 1, json!([minute, "open", null, null]));
    }
    stage.append(batch).await;
    stage.refine().await;
    stage.execute("update dirty_marks set changed_at = changed_at - interval '1 hour'").await;
    stage.roll_up().await;
    stage
        .execute(&format!(
            "insert into auth.users (id, email, name, password_hash) values ('{USER}', 'maja@n.example', 'Maja', 'x');
             insert into auth.memberships (workspace_id, user_id, role) select id, '{USER}', 'owner' from auth.workspaces;
             insert into auth.deletions (workspace_id, requested_by, requested_by_name, due_at)
               select id, '{USER}', 'Maja', {due_at} from auth.workspaces"
        ))
        .await;
    stage
}

async fn round(stage: &Stage) -> Vec<Erased> {
    erase::round(&stage.ctx, 0, &CancellationToken::new()).await.unwrap()
}

async fn sweep(stage: &Stage) -> Swept {
    erase::sweep(&stage.ctx, &CancellationToken::new()).await.unwrap()
}

/// Rows of workspaces anywhere, but for what is left of one.
async fn rows(stage: &Stage) -> Vec<String> {
    let admin = stage.db.admin().await;
    let mut all = Vec::new();
    for table in admin.query("select table_name from erasable_tables() order by 1", &[]).await.unwrap() {
        let table: String = table.get(0);
        let count: i64 = admin.query_one(&format!("select count(*) from {table}"), &[]).await.unwrap().get(0);
        if count > 0 {
            all.push(format!("{table} {count}"));
        }
    }
    all
}

/// Rounds until the workspace is gone.
async fn erase_wholly(stage: &Stage) {
    for _ in 0..50 {
        if round(stage).await == [Erased::Wholly] {
            return;
        }
    }
    panic!("it is not gone: {:?}", rows(stage).await);
}

#[tokio::test]
async fn a_workspace_goes_while_its_agent_writes() {
    let stage = Arc::new(stage("now() + interval '1 hour'").await);
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..3)
        .map(|_| {
            let (stage, stop) = (stage.clone(), stop.clone());
            tokio::spawn(async move {
                let (mut written, mut refused) = (0, 0);
                while !stop.load(Ordering::Relaxed) {
                    match stage.intrude().await {
                        Ok(()) => written += 1,
                        Err(StoreError::Conflict(_) | StoreError::NotFound | StoreError::Unavailable(_)) => {
                            refused += 1;
                        }
                        Err(error) => panic!("{error:?}"),
                    }
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                (written, refused)
            })
        })
        .collect();
    clarity_testkit::wait_until("the agent writes", Duration::from_secs(20), || async {
        stage.value("select count(*) > 20 from bronze_segments").await.as_deref() == Some("true")
    })
    .await;
    stage.execute("update auth.deletions set due_at = now()").await;
    erase_wholly(&stage).await;
    // It writes on, and is told no.
    for _ in 0..20 {
        assert!(matches!(stage.intrude().await, Err(StoreError::NotFound)));
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        let (written, refused) = writer.await.unwrap();
        assert!(written > 0 && refused > 0, "{written} batches before, {refused} refused after");
    }
    assert_eq!(rows(&stage).await, [""; 0]);
    assert_eq!(stage.value("select count(*) from auth.workspaces").await.unwrap(), "0");
    // What the certificate counts is what was written.
    let certificate = "select bool_and(rows_removed > 0) from auth.deleted_rows
                       where table_name in ('public.bronze_segments', 'public.sample_chunks', 'public.records', 'auth.memberships')";
    assert_eq!(stage.value(certificate).await.unwrap(), "true");
    let letter = "select to_address from auth.certificate_links";
    assert_eq!(stage.value(letter).await.unwrap(), "maja@n.example");
}

#[tokio::test]
async fn what_was_killed_goes_on_where_it_was() {
    let stage = stage("now()").await;
    let before = rows(&stage).await;
    let records = stage.value("select count(*) from records").await.unwrap();
    // A worker that is told to stop at once has closed the doors and no more.
    let stopped = CancellationToken::new();
    let scope = stage.head().await.scope;
    stopped.cancel();
    assert_eq!(erase::workspace(&stage.ctx, &scope, 0, &stopped).await.unwrap(), Erased::NotYet);
    assert!(rows(&stage).await.len() < before.len());
    assert_eq!(stage.value("select count(*) from records").await.unwrap(), records);
    let other = stage.another_holder().await;
    let never = CancellationToken::new();
    let (one, two) = tokio::join!(erase::round(&stage.ctx, 0, &never), erase::round(&other, 0, &never));
    one.unwrap();
    two.unwrap();
    if stage.value("select count(*) from auth.workspaces").await.unwrap() != "0" {
        erase_wholly(&stage).await;
    }
    assert_eq!(rows(&stage).await, [""; 0]);
    // Each row is counted once, whoever took it.
    let counted = "select rows_removed from auth.deleted_rows where table_name = 'public.records'";
    assert_eq!(stage.value(counted).await.unwrap(), records);
    assert!(round(&stage).await.is_empty(), "nothing is due any more");
}

#[tokio::test]
async fn a_hold_and_a_change_of_mind_keep_everything() {
    let stage = stage("now()").await;
    let before = rows(&stage).await;
    stage
        .execute(
            "insert into legal_holds (workspace_id, id, reason, placed_by)
               select id, gen_random_uuid(), 'case 7', gen_random_uuid() from auth.workspaces",
        )
        .await;
    assert_eq!(round(&stage).await, [Erased::Held]);
    stage.execute("delete from legal_holds; update auth.deletions set due_at = now() + interval '1 minute'").await;
    assert_eq!(round(&stage).await, []);
    stage.execute("delete from auth.deletions").await;
    assert_eq!(round(&stage).await, []);
    assert_eq!(rows(&stage).await, before);
    stage.refine().await;
}

#[tokio::test]
async fn what_turns_up_later_goes_too() {
    let stage = stage("now()").await;
    let workspace = stage.value("select id from auth.workspaces").await.unwrap();
    erase_wholly(&stage).await;
    stage
        .execute(&format!(
            "insert into retention_runs (workspace_id, id, data_class, started_at)
               values ('{workspace}', gen_random_uuid(), 'bronze', now())"
        ))
        .await;
    assert_eq!(rows(&stage).await, ["public.retention_runs 1"]);
    assert_eq!(sweep(&stage).await, Swept { rows: 1, missed: 0 });
    assert_eq!(rows(&stage).await, [""; 0]);
}

#[tokio::test]
async fn one_that_cannot_be_swept_keeps_no_other_waiting_and_a_late_hold_nobody() {
    let stage = Stage::new().await;
    let late = |n: u8| format!("00000000-0000-7000-8000-00000000000{n}");
    for n in 1..=2 {
        let workspace = late(n);
        stage
            .execute(&format!(
                "insert into auth.deleted_workspaces
                   (workspace_id, name, slug_hash, requested_by, requested_by_name, requested_at, due_at, begun_at, finished_at)
                   values ('{workspace}', 'Gone', sha256('{workspace}'), '{USER}', 'Maja', now(), now(), now(),
                           now() - interval '1 hour' + {n} * interval '1 second');
                 insert into retention_runs (workspace_id, id, data_class, started_at)
                   values ('{workspace}', gen_random_uuid(), 'bronze', now());
                 insert into legal_holds (workspace_id, id, reason, placed_by)
                   values ('{workspace}', gen_random_uuid(), 'too late', '{USER}')"
            ))
            .await;
    }
    // Somebody is in the way at the first.
    let other = stage.db.admin().await;
    let lock = format!("begin; select from auth.deleted_workspaces where workspace_id = '{}' for update", late(1));
    other.batch_execute(&lock).await.unwrap();
    assert_eq!(sweep(&stage).await, Swept { rows: 2, missed: 1 });
    other.batch_execute("rollback").await.unwrap();
    assert_eq!(sweep(&stage).await, Swept { rows: 2, missed: 0 });
    assert_eq!(stage.value("select count(*) from legal_holds").await.unwrap(), "0");
}

#[tokio::test]
async fn the_end_waits_for_those_who_are_still_inside() {
    let stage = stage("now()").await;
    assert_eq!(erase::round(&stage.ctx, 60, &CancellationToken::new()).await.unwrap(), [Erased::NotYet]);
    assert_eq!(stage.value("select count(*) from auth.workspaces").await.unwrap(), "1");
    // Somebody who was inside writes what refers to nothing.
    stage
        .execute("insert into sites (workspace_id, id, name) select id, gen_random_uuid(), 'Late' from auth.workspaces")
        .await;
    erase_wholly(&stage).await;
    assert_eq!(rows(&stage).await, [""; 0]);
}
