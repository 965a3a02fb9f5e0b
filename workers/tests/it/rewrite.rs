//! Rewriting history: canary values go through ingest, refine, letters, rollups and seals; after a rewrite they are nowhere.
//!
//! "Nowhere" is looked up, not listed: every column of every table as text, with bodies of bronze and chunks decoded, and every
//! line that was logged. What was found before the rewrite is the positive control for each place.

use crate::stage::*;
use clarity_series::{Projection, decode};
use clarity_store::StoreError;
use clarity_store::rewrite as store;
use clarity_wire::body::{self, Op};
use clarity_wire::hash::BatchHash;
use clarity_workers::{rewrite, verify};
use serde_json::json;
use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, OnceLock};
use tokio_util::sync::CancellationToken;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use uuid::Uuid;

const TEXT: &str = "zqcanary";
const FLOAT: f64 = 73_519.25;
const WHOLE: i64 = 1_864_213_975;

/// The canaries as they may stand in a row: as text, as bytes of a text, as a float's bytes.
fn needles() -> Vec<String> {
    let bytes = |bytes: &[u8]| hex::encode(bytes);
    vec![
        TEXT.into(),
        bytes(TEXT.as_bytes()),
        FLOAT.to_string(),
        bytes(&FLOAT.to_le_bytes()),
        WHOLE.to_string(),
        bytes(WHOLE.to_string().as_bytes()),
    ]
}

/// All that was logged in this process.
struct Log(Mutex<String>);

struct Words<'a>(&'a Mutex<String>);

impl Visit for Words<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = writeln!(self.0.lock().unwrap(), "{field}={value:?}");
    }
}

impl Subscriber for &'static Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Words(&self.0));
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Words(&self.0));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Words(&self.0));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn log() -> &'static Log {
    static LOG: OnceLock<&'static Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let log: &'static Log = Box::leak(Box::new(Log(Mutex::new(String::new()))));
        tracing::subscriber::set_global_default(log).unwrap();
        log
    })
}

/// A machine, its orders, its states and what it measures, with canaries in every kind of field, and events that cannot be
/// refined.
async fn plant() -> Stage {
    log();
    let stage = Stage::new().await;
    let batch = Batch::new(vec![telemetry(), orders(), states(), machines()])
        .event(
            Op::Insert,
            3,
            1,
            json!(["zqcanary-1", "zqcanary press", "zqcanary line", "zqcanary site", "zqcanary model"]),
        )
        .event(
            Op::Insert,
            0,
            1,
            json!(["zqcanary-1", at(0), FLOAT, WHOLE, json!({"worker": "zqcanary name", "oil": 3})]),
        )
        .event(Op::Insert, 0, 1, json!(["zqcanary-1", "never", FLOAT, WHOLE, null]))
        .event(Op::Insert, 1, 2, json!([1, "new", "zqcanary note", json!({"secret": "zqcanary", "public": 7})]))
        .event(Op::Insert, 2, 2, json!([1, "zqcanary-1", "down", "zqcanary reason", at(0)]));
    stage.append(batch).await;
    let second = Batch::new(vec![telemetry(), orders()])
        .event_with_old(
            Op::Update,
            1,
            3,
            json!([1, "done", "zqcanary other", []]),
            json!([1, "new", "zqcanary note", []]),
        )
        .event(Op::Insert, 0, 3, json!(["zqcanary-1", at(40), FLOAT, WHOLE, null]))
        .event(Op::Insert, 0, 3, json!(["zqcanary-1", at(80)]));
    stage.append(second).await;
    stage.jump(None, 2, 1).await;
    stage.append(Batch::new(vec![orders()]).event(Op::Insert, 0, 4, json!([2, "new", "zqcanary third", null]))).await;
    stage.refine().await;
    stage.execute("update dirty_marks set changed_at = changed_at - interval '1 hour'").await;
    stage.roll_up().await;
    stage.compact().await;
    stage
}

async fn mask(stage: &Stage) {
    let policies = [
        ("public.telemetry", "machine_id", r#"{"kind": "hash"}"#),
        ("public.telemetry", "temp", r#"{"kind": "bucket", "width": 1000}"#),
        ("public.telemetry", "rpm", r#"{"kind": "hide"}"#),
        ("public.telemetry", "extra.worker", r#"{"kind": "hash"}"#),
        ("public.work_orders", "note", r#"{"kind": "hash"}"#),
        ("public.work_orders", "payload.secret", r#"{"kind": "hide"}"#),
        ("public.machine_states", "machine_id", r#"{"kind": "hash"}"#),
        ("public.machine_states", "reason", r#"{"kind": "partial", "keep_last": 3}"#),
        ("public.machines", "id", r#"{"kind": "hash"}"#),
        ("public.machines", "name", r#"{"kind": "hide"}"#),
        ("public.machines", "line", r#"{"kind": "hide"}"#),
        ("public.machines", "site", r#"{"kind": "hide"}"#),
        ("public.machines", "model", r#"{"kind": "hide"}"#),
    ];
    for (stream, field, rule) in policies {
        let sql = format!(
            "insert into masking_policies (workspace_id, id, stream, field, rule, place, created_by, created_by_name)
             select id, gen_random_uuid(), '{stream}', '{field}', '{rule}', 'agent', gen_random_uuid(), 'Maja'
             from auth.workspaces"
        );
        stage.execute(&sql).await;
    }
}

/// As the service does on the page.
async fn ask(stage: &Stage) -> Uuid {
    let id = Uuid::now_v7();
    let sql = format!(
        "insert into rewrites (workspace_id, id, requested_by, policies)
           select w.id, '{id}', gen_random_uuid(),
                  (select jsonb_agg(jsonb_build_object('id', p.id, 'source_id', p.source_id, 'stream', p.stream, 'field', p.field,
                                                       'rule', p.rule, 'place', p.place, 'least_role', p.least_role))
                   from masking_policies p)
           from auth.workspaces w;
         insert into ops.jobs (id, workspace_id, kind, ref_id)
           select gen_random_uuid(), id, 'rewrite', '{id}' from auth.workspaces"
    );
    stage.execute(&sql).await;
    id
}

async fn work(stage: &Stage) {
    let stop = CancellationToken::new();
    while rewrite::work(&stage.ctx, &stop).await.unwrap() {}
}

/// Everything that is kept, place by place.
async fn everything(stage: &Stage) -> Vec<(String, String)> {
    let admin = stage.db.admin().await;
    let tables = "select n.nspname || '.' || quote_ident(c.relname)
                  from pg_class c join pg_namespace n on n.oid = c.relnamespace
                  where c.relkind = 'r' and n.nspname in ('public', 'auth', 'ops', 'global')";
    let mut all = Vec::new();
    for table in admin.query(tables, &[]).await.unwrap() {
        let name: String = table.get(0);
        let rows = admin.query(&format!("select t::text from {name} t"), &[]).await.unwrap();
        let text: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        // Partitions are their table.
        let name = if name.starts_with("public.bronze_segments") { "public.bronze_segments".into() } else { name };
        all.push((name, text.join("\n")));
    }
    for row in admin.query("select body from bronze_segments", &[]).await.unwrap() {
        let raw = body::decompress(row.get(0)).unwrap();
        all.push(("bronze, decoded".into(), String::from_utf8(raw).unwrap()));
    }
    for row in admin.query("select body from sample_chunks", &[]).await.unwrap() {
        let rows = decode(row.get(0), &Projection::all()).unwrap();
        all.push(("chunks, decoded".into(), format!("{rows:?}")));
    }
    all
}

/// Where a canary is.
async fn found(stage: &Stage) -> Vec<String> {
    let needles = needles();
    let mut places: Vec<String> = everything(stage)
        .await
        .into_iter()
        .filter(|(_, text)| needles.iter().any(|needle| text.contains(needle)))
        .map(|(place, _)| place)
        .collect();
    places.sort();
    places.dedup();
    places
}

#[tokio::test]
async fn after_a_rewrite_no_canary_is_anywhere() {
    let stage = plant().await;
    mask(&stage).await;
    let before = found(&stage).await;
    for place in [
        "bronze, decoded",
        "chunks, decoded",
        "public.assets",
        "public.dead_letters",
        "public.latest_samples",
        "public.record_extras",
        "public.records",
        "public.rollups",
        "public.sites",
        "public.state_intervals",
    ] {
        assert!(
            before.iter().any(|found| found == place),
            "{place} has no canary, so it would prove nothing: {before:?}"
        );
    }
    ask(&stage).await;
    work(&stage).await;
    let ended =
        "select coalesce(stopped, 'done') || ' ' || segments_done || '/' || segments_total || ' ' || (hash_key is null)
                 from rewrites where finished_at is not null";
    assert_eq!(stage.value(ended).await.as_deref(), Some("done 3/3 true"));
    stage.execute("update dirty_marks set changed_at = changed_at - interval '1 hour'").await;
    stage.roll_up().await;
    stage.compact().await;
    // Without the step for segments: bronze and all that follows from it; for letters: replayed ones; for machines: assets and
    // sites; for the models: records, chunks, newest values, states, rollups.
    assert_eq!(found(&stage).await, [""; 0]);
    let logged = log().0.lock().unwrap().clone();
    assert!(needles().iter().all(|needle| !logged.contains(needle.as_str())), "a canary was logged");

    // What is left is whole: as many events, one machine under its masked key, values that the rules leave.
    let (report, differences) = verify::verify(&stage.ctx, &stage.slug).await.unwrap();
    assert_eq!((report.mismatched, report.not_compared), (0, 0), "{:?}", differences.lines());
    assert_eq!(stage.value("select count(*) || ' ' || min(left(key, 2)) from assets").await.unwrap(), "1 h:");
    assert_eq!(stage.value("select count(*) from records where image is not null").await.unwrap(), "4");
    let notes = "select count(distinct image->>'note') from records where image->>'note' like 'h:%'";
    assert_eq!(stage.value(notes).await.unwrap(), "2");
    assert_eq!(stage.value("select reason from state_intervals").await.unwrap(), "•••son");
    let minima =
        "select string_agg(distinct m::text, ' ') from rollups, unnest(minima) m where m between 70000 and 80000";
    assert_eq!(stage.value(minima).await.unwrap(), "73000");
    let told = "select actor_kind || ' ' || (after->>'segments') || ' ' || ((after->>'values')::int > 10)
                from audit_entries where act = 'masking.rewrite'";
    assert_eq!(stage.value(told).await.unwrap(), "service 3 true");
    assert_eq!(stage.value("select string_agg(state, ',') from ops.jobs").await.unwrap(), "done");
}

#[tokio::test]
async fn the_rewritten_part_is_a_chain_of_its_own_and_ingest_goes_on() {
    let stage = plant().await;
    mask(&stage).await;
    let cursor = "select encode(last_hash, 'hex') || next_seq from source_cursors";
    let (before, chain) =
        (stage.value(cursor).await, "select string_agg(encode(hash, 'hex'), ' ') from bronze_segments");
    let hashes = stage.value(chain).await.unwrap();
    ask(&stage).await;
    work(&stage).await;
    assert_eq!(stage.value(cursor).await, before, "what the agent's next batch follows is as it was");
    let admin = stage.db.admin().await;
    let sql = "select epoch, first_seq, event_count, hash, body, rewritten_by is not null
               from bronze_segments order by epoch, first_seq";
    let mut last = (0, BatchHash::ZERO);
    for row in admin.query(sql, &[]).await.unwrap() {
        let (epoch, first, count): (i32, i64, i32) = (row.get(0), row.get(1), row.get(2));
        let previous = if last.0 == epoch { last.1 } else { BatchHash::ZERO };
        let body = BatchHash::of_body(row.get(4));
        let hash = BatchHash::chain(previous, epoch as u32, first as u64, count as u32, &body);
        assert_eq!(row.get::<_, Vec<u8>>(3), hash.0, "epoch {epoch} sequence {first}");
        assert!(row.get::<_, bool>(5) && !hashes.contains(&hex::encode(hash.0)), "no hash of a clear body is left");
        last = (epoch, hash);
    }
    stage.append(Batch::new(vec![orders()]).event(Op::Insert, 0, 5, json!([3, "new", "from the agent", null]))).await;
    stage.refine().await;
    assert_eq!(stage.value("select count(*) from bronze_segments where rewritten_by is null").await.unwrap(), "1");
    assert_eq!(stage.value("select image->>'note' from records where key = '[3]'").await.unwrap(), "from the agent");
}

#[tokio::test]
async fn another_worker_goes_on_after_a_break() {
    let stage = plant().await;
    mask(&stage).await;
    let id = ask(&stage).await;
    let stopped = CancellationToken::new();
    stopped.cancel();
    assert!(rewrite::work(&stage.ctx, &stopped).await.unwrap());
    let key = format!("select encode(hash_key, 'hex') from rewrites where id = '{id}' and finished_at is null");
    let first = stage.value(&key).await.expect("it has begun, with its key");
    assert_eq!(first.len(), 64);
    let other = stage.another_holder().await;
    assert!(!rewrite::work(&other, &CancellationToken::new()).await.unwrap(), "the claim is another's for a minute");
    stage.execute("update ops.jobs set lease_expires_at = now() - interval '1 second'").await;
    assert!(rewrite::work(&other, &CancellationToken::new()).await.unwrap());
    assert_eq!(
        stage.value("select stopped is null from rewrites where finished_at is not null").await.unwrap(),
        "true"
    );
    assert_eq!(stage.value("select count(*) from records where image::text like '%zqcanary%'").await.unwrap(), "0");
}

#[tokio::test]
async fn a_job_that_takes_its_workers_along_is_given_up() {
    let stage = plant().await;
    mask(&stage).await;
    ask(&stage).await;
    let stopped = CancellationToken::new();
    stopped.cancel();
    assert!(rewrite::work(&stage.ctx, &stopped).await.unwrap());
    let key = "select count(*) from rewrites where hash_key is not null";
    assert_eq!(stage.value(key).await.unwrap(), "1", "it has begun");
    stage.execute("update ops.jobs set attempts = 5, lease_expires_at = now() - interval '1 second'").await;
    assert!(rewrite::work(&stage.ctx, &CancellationToken::new()).await.unwrap());
    let ended = "select stopped from rewrites where finished_at is not null and hash_key is null and segments_done = 0";
    assert!(stage.value(ended).await.unwrap().starts_with("It failed several times"));
    assert_eq!(stage.value("select state from ops.jobs").await.unwrap(), "failed");
    assert!(!rewrite::work(&stage.ctx, &CancellationToken::new()).await.unwrap(), "nobody claims it again");
}

#[tokio::test]
async fn a_legal_hold_stops_a_rewrite_and_without_one_running_nobody_changes_bronze() {
    let stage = plant().await;
    mask(&stage).await;
    let bodies = "select md5(string_agg(encode(body, 'hex') || encode(hash, 'hex'), '' order by epoch, first_seq)) from bronze_segments";
    let before = stage.value(bodies).await;
    let hold = "insert into legal_holds (workspace_id, id, reason, placed_by)
                select id, gen_random_uuid(), 'case 7', gen_random_uuid() from auth.workspaces";
    let id = ask(&stage).await;
    stage.execute(hold).await;
    work(&stage).await;
    let stopped = stage.value("select stopped from rewrites where finished_at is not null").await.unwrap();
    assert!(stopped.starts_with("A legal hold"), "{stopped}");
    assert_eq!(stage.value(bodies).await, before);

    // The database refuses by itself: under a hold, of a rewrite that has ended, of none.
    let new = store::NewSegment { first_seq: 1, hash: [7; 32], body: Some((vec![1], 1)) };
    let scope = stage.head().await.scope;
    for (lifted, running) in [(false, id), (true, id), (true, Uuid::now_v7())] {
        if lifted {
            stage.execute("update legal_holds set lifted_at = now()").await;
        }
        let mut tx = stage.ctx.worker.begin(&scope).await.unwrap();
        let refused = store::change(&mut tx, running, stage.source, 1, std::slice::from_ref(&new)).await;
        assert!(matches!(refused, Err(StoreError::Refused(_))), "{lifted} {running}: {refused:?}");
    }
    assert_eq!(stage.value(bodies).await, before);
}
