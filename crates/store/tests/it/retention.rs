//! Retention as the worker's role sees it: of each class exactly what is older goes, in this workspace, and what other data
//! still follows from stays.

use clarity_domain::audit::{Act, ActorKind, ChainBreak, Outcome};
use clarity_domain::ids::{SourceId, StreamId, UserId};
use clarity_domain::retention::DataClass;
use clarity_domain::time::{DAY, Micros};
use clarity_runtime::clock::now_us;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_store::audit::{self, Actor, Entry, Object};
use clarity_store::refine::Place;
use clarity_store::retention::{self, Removed, Run};
use clarity_store::{StoreError, SystemStore, WorkerStore, WorkspaceScope, head};
use clarity_testkit::TestDb;
use uuid::Uuid;

/// 2026-01-10T00:00:00Z: what the rows below are before, at and after.
const CUT: Micros = 1_768_003_200_000_000;
const SOURCE: [&str; 2] = ["00000000-0000-7000-8000-0000000000a1", "00000000-0000-7000-8000-0000000000a2"];
const STREAM: [&str; 2] = ["00000000-0000-7000-8000-0000000000b1", "00000000-0000-7000-8000-0000000000b2"];

struct Stage {
    db: TestDb,
    worker: WorkerStore,
    system: SystemStore,
    scope: WorkspaceScope,
}

impl Stage {
    /// Two workspaces with the same rows. Times are an instant before the cut, the cut itself, and a day after.
    async fn new() -> Self {
        let db = TestDb::new().await;
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
        let worker = WorkerStore::connect(&login(DbRole::Worker), 4).await.unwrap();
        let system = SystemStore::connect_as(Uuid::now_v7(), &login(DbRole::System), 2).await.unwrap();
        for ((slug, source), stream) in ["ours", "theirs"].into_iter().zip(SOURCE).zip(STREAM) {
            let workspace = Uuid::now_v7();
            let sql = WORKSPACE
                .replace("{w}", &workspace.to_string())
                .replace("{slug}", slug)
                .replace("{source}", source)
                .replace("{stream}", stream);
            db.admin().await.batch_execute(&sql).await.unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
        }
        let mut tx = system.begin().await.unwrap();
        let (scope, _) = head::list_of_workspace(&mut tx, "ours").await.unwrap();
        drop(tx);
        Self { db, worker, system, scope }
    }

    async fn sql(&self, sql: &str) {
        self.db.admin().await.batch_execute(sql).await.unwrap_or_else(|e| panic!("{e:?}\n{sql}"));
    }

    async fn count(&self, of: &str) -> i64 {
        self.db.admin().await.query_one(&format!("select count(*) from {of}"), &[]).await.unwrap().get(0)
    }

    /// Rows of both workspaces.
    async fn both(&self, table: &str) -> (i64, i64) {
        let of = |slug: &str| {
            format!("{table} x where x.workspace_id = (select id from auth.workspaces where slug = '{slug}')")
        };
        (self.count(&of("ours")).await, self.count(&of("theirs")).await)
    }

    async fn batch(&self, class: DataClass, cut: Micros, limit: i64) -> Result<Removed, StoreError> {
        let mut tx = self.worker.begin(&self.scope).await?;
        assert!(retention::enter(&mut tx).await?, "no hold");
        let removed = retention::remove_batch(&mut tx, class, cut, limit).await?;
        tx.commit().await?;
        Ok(removed)
    }

    async fn remove(&self, class: DataClass) -> i64 {
        let mut rows = 0;
        loop {
            let removed = self.batch(class, CUT, 100).await.unwrap();
            if removed.rows == 0 {
                return rows;
            }
            assert!(removed.bytes > 0, "{class:?}");
            rows += removed.rows;
        }
    }

    async fn preview(&self, class: DataClass) -> retention::Figures {
        let mut tx = self.worker.begin_read(&self.scope).await.unwrap();
        retention::measure(&mut tx, class, Some(CUT)).await.unwrap()
    }

    async fn verify(&self) -> clarity_domain::audit::ChainReport {
        let mut tx = self.worker.begin_read(&self.scope).await.unwrap();
        audit::verify(&mut tx).await.unwrap()
    }

    async fn write(&self, count: usize) {
        let actor = Actor { kind: ActorKind::Person, id: None, name: "Maja".into() };
        let entry = Entry {
            actor: &actor,
            act: Act::SignIn,
            object: Object::default(),
            before: None,
            after: None,
            outcome: Outcome::Done,
            address: "",
            request_id: None,
        };
        for _ in 0..count {
            let mut tx = self.worker.begin(&self.scope).await.unwrap();
            audit::record(&mut tx, &entry).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
}

const WORKSPACE: &str = "
  insert into auth.workspaces (id, slug, name) values ('{w}', '{slug}', '{slug}');
  insert into agents (workspace_id, id, name) values ('{w}', '{source}', 'a');
  insert into sources (workspace_id, id, agent_id, name, kind, partition) values ('{w}', '{source}', '{source}', 's', 'postgres', 0);
  insert into streams (workspace_id, id, source_id, name, schema) values ('{w}', '{stream}', '{source}', 't', '{}');
  create table if not exists bronze_segments_20260109 partition of bronze_segments for values from ('2026-01-09') to ('2026-01-10');
  create table if not exists bronze_segments_20260110 partition of bronze_segments for values from ('2026-01-10') to ('2026-01-11');
  select protect_partition('bronze_segments_20260109'), protect_partition('bronze_segments_20260110');
  alter table bronze_segments_20260109 owner to clarity_owner;
  alter table bronze_segments_20260110 owner to clarity_owner;
  create temporary table if not exists moments (n int, at timestamptz);
  truncate moments;
  insert into moments values (1, '2026-01-09 23:59:59.999999Z'), (2, '2026-01-10 00:00Z'), (3, '2026-01-11 00:00Z');
  insert into refine_cursors (workspace_id, source_id, epoch, next_seq) values ('{w}', '{source}', 1, 31);
  insert into bronze_segments (workspace_id, source_id, epoch, first_seq, received_on, received_at, event_count, raw_bytes, hash, body)
    select '{w}', '{source}', 1, n * 10 + 1, '2026-01-09', '2026-01-09 12:00Z', 10, 9, '\\x00', '\\x0102' from generate_series(0, 3) n;
  insert into bronze_segments (workspace_id, source_id, epoch, first_seq, received_on, received_at, event_count, raw_bytes, hash, body)
    values ('{w}', '{source}', 1, 41, '2026-01-10', '2026-01-10 00:00Z', 10, 9, '\\x00', '\\x0102');
  insert into dead_letters (workspace_id, source_id, epoch, seq, stream_name, fingerprint, cause, payload, segment_first_seq, line_number, created_at)
    select '{w}', '{source}', 1, 10 + n, 't', 'aa', 'no', '\\x00', 11, n, at from moments;
  insert into sample_chunks (workspace_id, stream_id, id, asset_number, sealed, from_at, to_at, row_count, sample_count, stats, body)
    select '{w}', '{stream}', gen_random_uuid(), 1, true, at - interval '1 hour', at, 7, 7, '\\x00', '\\x0102' from moments;
  insert into latest_samples (workspace_id, stream_id, asset_number, at, epoch, seq, metric_numbers, ats, snapshots, numbers)
    values ('{w}', '{stream}', 1, now(), 1, 1, '{}', '{}', '{}', '{}');
  insert into rollups (workspace_id, stream_id, asset_number, grain, from_at, to_at, metric_numbers, counts, sums, minima, maxima, firsts, lasts, aggregates)
    select '{w}', '{stream}', 1, grain, end_at - grain * interval '1 second', end_at, '{}', '{}', '{}', '{}', '{}', '{}', '{}', '\\x00'
    from (values (60), (3600), (86400)) g (grain),
         (values ('2026-01-10 00:00Z'::timestamptz), ('2026-01-11 00:00Z'), ('2026-01-12 00:00Z')) e (end_at);
  insert into state_intervals (workspace_id, asset_number, from_at, to_at, stream_id, state, category, epoch, seq, source_key)
    select '{w}', 1, at - interval '1 hour', at, '{stream}', 'on', 'running', 1, n, n::text from moments;
  insert into state_intervals (workspace_id, asset_number, from_at, to_at, stream_id, state, category, epoch, seq, source_key)
    values ('{w}', 2, '2026-01-01 00:00Z', null, '{stream}', 'on', 'running', 1, 9, 'open');
  insert into records (workspace_id, stream_id, key, image, epoch, seq, changed_at)
    select '{w}', '{stream}', n::text, null, 1, n, at from moments;
  insert into records (workspace_id, stream_id, key, image, epoch, seq, changed_at)
    values ('{w}', '{stream}', 'there', '{}', 1, 9, '2026-01-01 00:00Z');";

#[tokio::test]
async fn exactly_what_is_older_goes_and_nothing_of_another() {
    let stage = Stage::new().await;
    for (class, table, rows, gone) in [
        (DataClass::Samples, "sample_chunks", 3, 1),
        (DataClass::States, "state_intervals", 4, 1),
        (DataClass::Minutes, "(select * from rollups where grain = 60)", 3, 1),
        (DataClass::Hours, "(select * from rollups where grain = 3600)", 3, 1),
        (DataClass::Days, "(select * from rollups where grain = 86400)", 3, 1),
        (DataClass::Records, "records", 4, 1),
        (DataClass::DeadLetters, "dead_letters", 3, 1),
    ] {
        assert_eq!(stage.both(table).await, (rows, rows), "{class:?}");
        // A chunk counts its rows.
        let counted = if class == DataClass::Samples { 7 } else { gone };
        let preview = stage.preview(class).await;
        assert_eq!((preview.rows, preview.bytes > 0), (counted, true), "{class:?}");
        assert!(preview.oldest_at.is_some_and(|at| at < CUT), "{class:?}");
        assert_eq!(stage.remove(class).await, counted, "{class:?}");
        assert_eq!(stage.both(table).await, (rows - gone, rows), "{class:?}");
        assert_eq!(stage.preview(class).await.rows, 0, "{class:?}");
    }
    // The open interval and the row that is there are older than all that went.
    assert_eq!(stage.both("(select * from state_intervals where to_at is null)").await, (1, 1));
    assert_eq!(stage.both("(select * from records where image is not null)").await, (1, 1));
    // Buckets are not made again up to there: of samples to the last, of minutes and hours a day further.
    let mut tx = stage.worker.begin_read(&stage.scope).await.unwrap();
    let floors = retention::list_floors(&mut tx, StreamId(STREAM[0].parse().unwrap())).await.unwrap();
    assert_eq!(floors.get(&1), Some(&(CUT + DAY)));
}

#[tokio::test]
async fn bronze_that_something_still_follows_from_stays() {
    let stage = Stage::new().await;
    // Segments 1–10, 11–20 (open letters at 11 to 13), 21–30, 31–40 (not refined), and 41–50 of the next day.
    assert_eq!(stage.preview(DataClass::Bronze).await.rows, 2);
    assert_eq!(stage.remove(DataClass::Bronze).await, 2);
    let left = "select string_agg(first_seq::text, ' ' order by first_seq) from bronze_segments b
                join auth.workspaces w on w.id = b.workspace_id where w.slug = 'ours'";
    let left_of = async || -> String { stage.db.admin().await.query_one(left, &[]).await.unwrap().get(0) };
    assert_eq!(left_of().await, "11 31 41");
    assert_eq!(stage.both("bronze_segments").await, (3, 5));
    let mut tx = stage.worker.begin_read(&stage.scope).await.unwrap();
    let cut = retention::find_bronze_cut(&mut tx, SourceId(SOURCE[0].parse().unwrap())).await.unwrap();
    assert_eq!(cut, Some(Place { epoch: 1, seq: 31 }), "whoever begins at 1 knows");
    drop(tx);
    // A replayed letter before the cut may go now; the segment goes when no open letter stands in it.
    stage.sql("update dead_letters set replayed_at = now(), replayed_version = 1").await;
    assert_eq!(stage.remove(DataClass::DeadLetters).await, 1);
    assert_eq!(stage.remove(DataClass::Bronze).await, 1);
    assert_eq!(left_of().await, "31 41");
    // Theirs still has all of its bronze: a rebuild reads it with these versions.
    assert_eq!(stage.both("dead_letters").await, (2, 3));
}

#[tokio::test]
async fn samples_that_are_not_rolled_up_stay() {
    let stage = Stage::new().await;
    stage
        .sql(
            "insert into dirty_marks (workspace_id, stream_id, asset_number, hour, minutes)
               select workspace_id, id, 1, '2026-01-09 23:00Z', 1 from streams",
        )
        .await;
    assert_eq!(stage.preview(DataClass::Samples).await.rows, 0);
    assert_eq!(stage.remove(DataClass::Samples).await, 0);
    stage.sql("delete from dirty_marks").await;
    assert_eq!(stage.remove(DataClass::Samples).await, 7);
}

#[tokio::test]
async fn a_batch_is_bounded_and_a_run_adds_up() {
    let stage = Stage::new().await;
    let run = Run { id: Uuid::now_v7(), class: DataClass::Records, started_at: now_us(), cut_at: Some(CUT + 3 * DAY) };
    for left in [2, 1, 0] {
        let mut tx = stage.worker.begin(&stage.scope).await.unwrap();
        let removed = retention::remove_batch(&mut tx, DataClass::Records, CUT + 3 * DAY, 1).await.unwrap();
        assert_eq!(removed.rows, 1);
        retention::note(&mut tx, &run, removed).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(stage.both("(select * from records where image is null)").await, (left, 3));
    }
    let mut tx = stage.worker.begin(&stage.scope).await.unwrap();
    assert!(retention::list_last_runs(&mut tx).await.unwrap().is_empty(), "it has not ended");
    assert_eq!(retention::list_cuts(&mut tx).await.unwrap().get(&DataClass::Records), Some(&(CUT + 3 * DAY)));
    let kept = retention::measure(&mut tx, DataClass::Records, None).await.unwrap();
    retention::finish(&mut tx, &run, kept).await.unwrap();
    let ended = retention::list_last_runs(&mut tx).await.unwrap();
    assert_eq!((ended.len(), ended[0].removed.rows, ended[0].kept.rows), (1, 3, 0));
}

#[tokio::test]
async fn under_a_hold_nothing_begins_and_a_hold_waits_for_what_began() {
    let stage = Stage::new().await;
    let mut removing = stage.worker.begin(&stage.scope).await.unwrap();
    assert!(retention::enter(&mut removing).await.unwrap());
    let client = clarity_testkit::cluster::connect(&stage.db.url("clarity_app")).await.unwrap();
    let workspace = stage.scope.workspace_id();
    let lock = format!(
        "begin; set local lock_timeout = '200ms'; set local app.workspace_id = '{workspace}'; set local app.rank = '4';
         select pg_advisory_xact_lock(hashtextextended('retention ' || '{workspace}', 0))"
    );
    assert!(client.batch_execute(&lock).await.is_err(), "the hold waits");
    client.batch_execute("rollback").await.unwrap();
    removing.commit().await.unwrap();
    client.batch_execute(&lock).await.unwrap();
    let hold = format!(
        "insert into legal_holds (id, reason, placed_by) values (gen_random_uuid(), 'case 7', '{}'); commit",
        UserId(Uuid::now_v7())
    );
    client.batch_execute(&hold).await.unwrap();
    let mut tx = stage.worker.begin(&stage.scope).await.unwrap();
    assert!(!retention::enter(&mut tx).await.unwrap());
    let refused = retention::remove_batch(&mut tx, DataClass::Audit, 0, 10).await.unwrap_err();
    assert!(matches!(refused, StoreError::Refused(_)), "the database looks itself: {refused:?}");
    drop(tx);
    stage.sql("update legal_holds set lifted_at = now()").await;
    let mut tx = stage.worker.begin(&stage.scope).await.unwrap();
    assert!(retention::enter(&mut tx).await.unwrap());
}

#[tokio::test]
async fn a_day_of_bronze_is_dropped_when_nobody_has_a_row_in_it() {
    let stage = Stage::new().await;
    let days = "pg_class where relname in ('bronze_segments_20260109', 'bronze_segments_20260110')";
    let drop_empty = async |cut: Micros| {
        let mut tx = stage.system.begin().await.unwrap();
        let dropped = retention::drop_empty_partitions(&mut tx, cut).await?;
        tx.commit().await.unwrap();
        Ok::<_, StoreError>(dropped)
    };
    assert_eq!(drop_empty(CUT + 9 * DAY).await.unwrap(), 0);
    assert_eq!((stage.count(days).await, stage.both("bronze_segments").await), (2, (5, 5)));
    // Ours is empty; one row of theirs is enough to keep the day.
    stage
        .sql("delete from bronze_segments b using auth.workspaces w where w.id = b.workspace_id and w.slug = 'ours'")
        .await;
    stage.sql("delete from bronze_segments where first_seq between 11 and 40").await;
    assert_eq!(drop_empty(CUT + 9 * DAY).await.unwrap(), 0);
    assert_eq!(stage.both("bronze_segments").await, (0, 2));
    stage.sql("delete from bronze_segments where first_seq = 1").await;
    assert_eq!(drop_empty(CUT + 9 * DAY).await.unwrap(), 1);
    assert_eq!((stage.count(days).await, stage.both("bronze_segments").await), (1, (0, 1)));
    let forced = "pg_class where relname like 'bronze_segments_%' and relkind = 'r' and not relforcerowsecurity";
    assert_eq!(stage.count(forced).await, 0, "whoever was looked at is protected as before");
    assert!(drop_empty(now_us()).await.is_err(), "today is written to");
}

#[tokio::test]
async fn the_audit_log_may_be_cut_as_the_policy_says_and_not_otherwise() {
    let stage = Stage::new().await;
    stage.write(9).await;
    assert_eq!(stage.verify().await.broken, None);
    let years = 1096 * DAY;
    // A workspace that has said nothing keeps everything.
    let unsaid = stage.batch(DataClass::Audit, now_us() - 2 * years, 5).await;
    assert!(matches!(unsaid, Err(StoreError::Refused(_))));
    stage
        .sql(
            "insert into retention_policies (workspace_id, data_class, keep_days)
             select id, 'audit', 1096 from auth.workspaces where slug = 'ours'",
        )
        .await;
    // Nothing is four years old.
    assert_eq!(stage.batch(DataClass::Audit, now_us() - years - DAY, 5).await.unwrap(), Removed::default());
    for cut in [now_us(), now_us() - 90 * DAY, now_us() - years + DAY] {
        assert!(matches!(stage.batch(DataClass::Audit, cut, 5).await, Err(StoreError::Refused(_))));
    }
    // Time passes: a log whose first five entries are as old as that. Its chain is made anew by the database's own functions.
    stage.sql(AGED).await;
    assert_eq!(stage.verify().await.broken, None);
    assert_eq!(stage.batch(DataClass::Audit, now_us() - years - DAY, 3).await.unwrap().rows, 3);
    let report = stage.verify().await;
    assert_eq!((report.broken, report.cut_seq, report.entries), (None, 3, 7), "six are left, and one tells of the cut");
    assert_eq!(stage.batch(DataClass::Audit, now_us() - years - DAY, 30).await.unwrap().rows, 2);
    let report = stage.verify().await;
    assert_eq!((report.broken, report.cut_seq, report.entries), (None, 5, 6));
    assert!(report.words().contains("Entries up to 5 were removed by retention"));
    stage.write(1).await;
    assert_eq!(stage.verify().await.broken, None);

    // More than was told of, with and without a fitting anchor.
    stage
        .sql("create table kept as select * from audit_entries; create table anchor as select * from audit_anchors")
        .await;
    for (fault, expected) in [
        ("delete from audit_entries where seq = 6", ChainBreak::Missing { seq: 6, last: 6 }),
        ("delete from audit_anchors", ChainBreak::Missing { seq: 1, last: 5 }),
        ("update audit_anchors set hash = sha256(hash)", ChainBreak::Changed { seq: 6 }),
        (
            "update audit_anchors a set seq = 7, hash = e.hash from audit_entries e where e.seq = 7;
             delete from audit_entries where seq <= 7",
            ChainBreak::Untold { seq: 7 },
        ),
        (
            "update audit_entries set after = after || '{\"cut_seq\": 4}' where after->>'cut_seq' = '5'",
            ChainBreak::Changed { seq: 11 },
        ),
    ] {
        stage.sql(&format!("set session_replication_role = replica; {fault}")).await;
        assert_eq!(stage.verify().await.broken, Some(expected), "{fault}");
        stage
            .sql(
                "set session_replication_role = replica;
                 delete from audit_entries; insert into audit_entries select * from kept;
                 delete from audit_anchors; insert into audit_anchors select * from anchor",
            )
            .await;
        assert_eq!(stage.verify().await.broken, None, "after {fault}");
    }
    stage.sql("update retention_policies set keep_days = null where data_class = 'audit'").await;
    let for_ever = stage.batch(DataClass::Audit, now_us() - 2 * years, 5).await;
    assert!(matches!(for_ever, Err(StoreError::Refused(_))));
}

/// Entries 1 to 5 are four years old, and the chain follows from that.
const AGED: &str = "
  set session_replication_role = replica;
  do $$
  declare
    e audit_entries;
    chained bytea := decode(repeat('00', 32), 'hex');
  begin
    for e in select * from audit_entries order by seq loop
      if e.seq <= 5 then
        e.at := e.at - interval '1461 days';
      end if;
      e.previous_hash := chained;
      e.hash := audit_hash(e);
      chained := e.hash;
      update audit_entries set at = e.at, previous_hash = e.previous_hash, hash = e.hash where seq = e.seq;
    end loop;
    update audit_heads set hash = chained;
  end $$";
