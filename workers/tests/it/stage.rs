//! A platform database with one source, whose segments tests append as ingest does, and what refine makes of them.

use clarity_domain::ids::{AgentId, SourceId};
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_store::head::{self, Head};
use clarity_store::ingest::{Appended, Segment, cursor, segment, source};
use clarity_store::refine::{Fence, Place};
use clarity_store::{
    AuthStore, IngestStore, StoreError, SystemStore, WorkerStore, WorkspaceScope, WorkspaceTx, lease, usage,
};
use clarity_testkit::TestDb;
use clarity_wire::body::{BodyHeader, BodyWriter, Column, Op, SnapshotChunk, StreamSchema};
use clarity_wire::hash::BatchHash;
use clarity_workers::context::WorkerContext;
use clarity_workers::refine::source::SourceRefiner;
use clarity_workers::{compact, refine, rollup};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const SECOND: i64 = 1_000_000;
/// 2026-11-23T00:00:00Z
pub const DAY: i64 = 1_795_392_000_000_000;

pub struct Stage {
    pub db: TestDb,
    pub ctx: WorkerContext,
    pub slug: String,
    ingest: IngestStore,
    agent: WorkspaceScope,
    pub source: SourceId,
}

/// A column: name, type, whether it is part of the key.
pub fn schema(name: &str, columns: &[(&str, &str, bool)]) -> StreamSchema {
    let column = |c: &(&str, &str, bool)| Column { name: c.0.into(), type_name: c.1.into(), key: c.2, comment: None };
    StreamSchema { name: name.into(), columns: columns.iter().map(column).collect(), full_old_row: false }
}

pub fn telemetry() -> StreamSchema {
    schema(
        "public.telemetry",
        &[
            ("machine_id", "text", true),
            ("ts", "timestamptz", true),
            ("temp", "float8", false),
            ("rpm", "int4", false),
            ("extra", "jsonb", false),
        ],
    )
}

pub fn orders() -> StreamSchema {
    schema(
        "public.work_orders",
        &[("id", "int8", true), ("status", "text", false), ("note", "text", false), ("payload", "jsonb", false)],
    )
}

pub fn states() -> StreamSchema {
    schema(
        "public.machine_states",
        &[
            ("id", "int8", true),
            ("machine_id", "text", false),
            ("state", "text", false),
            ("reason", "text", false),
            ("started_at", "timestamptz", false),
        ],
    )
}

pub fn machines() -> StreamSchema {
    let columns = [("id", true), ("name", false), ("line", false), ("site", false), ("model", false)];
    schema("public.machines", &columns.map(|(name, key)| (name, "text", key)))
}

/// Text of a time so many seconds into the test's day.
pub fn at(second: i64) -> String {
    jiff::Timestamp::from_second(DAY / SECOND + second).unwrap().to_string()
}

/// Events of a batch, written as agents write them.
#[derive(Default)]
pub struct Batch {
    pub header: BodyHeader,
    writer: BodyWriter,
}

impl Batch {
    pub fn new(streams: Vec<StreamSchema>) -> Self {
        Self { header: BodyHeader { v: 1, streams, chunks: vec![] }, writer: BodyWriter::default() }
    }

    pub fn snapshot(mut self, stream: u32, snapshot: &str) -> Self {
        self.header.chunks.push(SnapshotChunk { stream, snapshot: snapshot.into() });
        self
    }

    /// An event; cells as JSON, `[]` for absent.
    pub fn event(mut self, op: Op, stream: u32, xid: u64, row: Value) -> Self {
        self.write(op, stream, xid, &row, None, None);
        self
    }

    pub fn event_with_old(mut self, op: Op, stream: u32, xid: u64, row: Value, old: Value) -> Self {
        self.write(op, stream, xid, &row, Some(&old), None);
        self
    }

    /// A row that snapshot chunk `chunk` read.
    pub fn read(mut self, stream: u32, chunk: u32, row: Value) -> Self {
        self.write(Op::Read, stream, 0, &row, None, Some(chunk));
        self
    }

    fn write(&mut self, op: Op, stream: u32, xid: u64, row: &Value, old: Option<&Value>, chunk: Option<u32>) {
        let n = i64::from(self.writer.events());
        self.writer.begin(op, stream, DAY + n, xid, 1);
        if let Some(chunk) = chunk {
            self.writer.chunk(chunk);
        }
        if let Some(cells) = row.as_array() {
            self.writer.row();
            self.cells(cells);
        }
        if let Some(cells) = old.and_then(Value::as_array) {
            self.writer.old();
            self.cells(cells);
        }
        self.writer.end();
    }

    fn cells(&mut self, cells: &[Value]) {
        for cell in cells {
            match cell {
                Value::Null => self.writer.cell_null(),
                Value::Bool(b) => self.writer.cell_bool(*b),
                Value::Number(n) => self.writer.cell_number(&n.to_string()),
                Value::String(s) => self.writer.cell_text(s),
                Value::Array(_) => self.writer.cell_absent(),
                Value::Object(_) => self.writer.cell_text(&cell.to_string()),
            }
        }
        self.writer.end_cells();
    }
}

impl Stage {
    pub async fn new() -> Self {
        let db = TestDb::new().await;
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
        let (workspace, agent) = (Uuid::now_v7(), Uuid::now_v7());
        let slug = format!("w-{}", workspace.simple());
        let admin = db.admin().await;
        let sql = format!(
            "insert into auth.workspaces (id, slug, name) values ('{workspace}', '{slug}', 'Test');
             insert into auth.agent_keys (agent_id, workspace_id, public_key)
               values ('{agent}', '{workspace}', sha256('{agent}'::bytea));
             insert into agents (workspace_id, id, name) values ('{workspace}', '{agent}', 'test')"
        );
        admin.batch_execute(&sql).await.unwrap();
        let auth = AuthStore::connect(&login(DbRole::Auth), 1).await.unwrap();
        let agent = auth.find_agent(AgentId(agent)).await.unwrap().unwrap().prove(|_| true).unwrap().scope;
        let ingest = IngestStore::connect(&login(DbRole::Ingest), 2).await.unwrap();
        let mut tx = ingest.begin(&agent).await.unwrap();
        let source = source::register(&mut tx, "plant", "postgres", "PostgreSQL").await.unwrap().id;
        tx.commit().await.unwrap();
        let holder = Uuid::now_v7();
        let ctx = WorkerContext {
            worker: WorkerStore::connect(&login(DbRole::Worker), 4).await.unwrap(),
            system: SystemStore::connect_as(holder, &login(DbRole::System), 2).await.unwrap(),
            holder,
            listener: login(DbRole::System),
        };
        Self { db, ctx, slug, ingest, agent, source }
    }

    /// What ingest does for an agent that is inside, with a batch of one event.
    pub async fn intrude(&self) -> Result<(), StoreError> {
        let (body, raw_bytes) = {
            let row = json!(["M-1", at(1), 1.0, 1, null]);
            let mut batch = Batch::new(vec![telemetry()]).event(Op::Insert, 0, 1, row);
            batch.writer.finish(&batch.header, 1).unwrap()
        };
        let mut tx = self.ingest.begin(&self.agent).await?;
        let at = cursor::lock(&mut tx, self.source).await?;
        let previous = BatchHash(at.last_hash);
        let hash = BatchHash::chain(previous, at.epoch, at.next_seq, 1, &BatchHash::of_body(&body));
        let new = Segment {
            source_id: self.source,
            epoch: at.epoch,
            first_seq: at.next_seq,
            event_count: 1,
            previous_hash: &previous.0,
            hash: &hash.0,
            position: &json!({}),
            raw_bytes,
            last_commit_us: Some(DAY),
            body: &body,
        };
        segment::append(&mut tx, &new).await?;
        tx.commit().await
    }

    /// Appends a batch to bronze as one segment; gives its first sequence.
    pub async fn append(&self, mut batch: Batch) -> i64 {
        let events = batch.writer.events();
        let (body, raw_bytes) = batch.writer.finish(&batch.header, 1).unwrap();
        self.append_body(&body, raw_bytes, events).await
    }

    pub async fn append_body(&self, body: &[u8], raw_bytes: u32, events: u32) -> i64 {
        let mut tx = self.ingest.begin(&self.agent).await.unwrap();
        let at = cursor::lock(&mut tx, self.source).await.unwrap();
        let previous = BatchHash(at.last_hash);
        let hash = BatchHash::chain(previous, at.epoch, at.next_seq, events, &BatchHash::of_body(body));
        let new = Segment {
            source_id: self.source,
            epoch: at.epoch,
            first_seq: at.next_seq,
            event_count: events,
            previous_hash: &previous.0,
            hash: &hash.0,
            position: &json!({}),
            raw_bytes,
            last_commit_us: Some(DAY),
            body,
        };
        assert!(matches!(segment::append(&mut tx, &new).await.unwrap(), Appended::Stored { .. }));
        tx.commit().await.unwrap();
        at.next_seq as i64
    }

    /// Moves ingest's cursor without a segment.
    pub async fn jump(&self, gap: Option<(u64, u64)>, epoch: u32, next_seq: u64) {
        let mut tx = self.ingest.begin(&self.agent).await.unwrap();
        if let Some((from_seq, to_seq)) = gap {
            let gap = cursor::Gap { epoch, from_seq, to_seq, kind: "lost", reason: "test", body: None };
            cursor::mark_gap(&mut tx, self.source, gap).await.unwrap();
        }
        cursor::jump(&mut tx, self.source, epoch, next_seq, &[0; 32]).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// What ingest has metered of this month.
    pub async fn month(&self) -> usage::Month {
        let mut tx = self.ingest.begin(&self.agent).await.unwrap();
        usage::of_month(&mut tx).await.unwrap()
    }

    pub async fn head(&self) -> Head {
        let mut tx = self.ctx.system.begin().await.unwrap();
        let (_, heads) = head::list_of_workspace(&mut tx, &self.slug).await.unwrap();
        heads.into_iter().next().unwrap()
    }

    pub async fn fence(&self, role: &'static str) -> Fence {
        let partition = self.head().await.partition;
        let mut tx = self.ctx.system.begin().await.unwrap();
        let leases = lease::renew(&mut tx, role, self.ctx.holder).await.unwrap();
        tx.commit().await.unwrap();
        let token = leases.iter().find(|l| l.partition == partition).unwrap().token;
        Fence { role, partition, token }
    }

    /// Another process of the same roles.
    pub async fn another_holder(&self) -> WorkerContext {
        let holder = Uuid::now_v7();
        let system = SystemStore::connect_as(holder, &self.ctx.listener, 2).await.unwrap();
        WorkerContext { system, holder, ..self.ctx.clone() }
    }

    /// Ends the first holder's sessions at the database, as `kill -9` of its process does.
    pub async fn end_sessions(&self) {
        let sessions = format!("from pg_stat_activity where application_name = 'clarity holder {}'", self.ctx.holder);
        self.execute(&format!("select pg_terminate_backend(pid, 10000) {sessions}")).await;
        assert_eq!(self.value(&format!("select count(*) {sessions}")).await.unwrap(), "0");
    }

    /// Refines all of bronze.
    pub async fn refine(&self) -> Place {
        let fence = self.fence(refine::ROLE).await;
        let mut refiner = SourceRefiner::new(self.ctx.clone(), self.head().await, Some(fence));
        refiner.drain(&CancellationToken::new()).await.unwrap()
    }

    /// Rolls up all marks, however fresh.
    pub async fn roll_up(&self) {
        let fence = self.fence(rollup::ROLE).await;
        while rollup::pass(&self.ctx.worker, &self.head().await, Some(fence), 0).await.unwrap() > 0 {}
    }

    /// Seals whatever is due, as if all that is hot had waited; gives how many batches.
    pub async fn compact(&self) -> u32 {
        self.execute("update sample_chunks set created_at = created_at - interval '11 seconds' where not sealed").await;
        let scope = self.head().await.scope;
        let mut batches = 0;
        while compact::pass(&self.ctx, &scope).await.unwrap() {
            batches += 1;
        }
        batches
    }

    pub async fn read(&self) -> WorkspaceTx {
        self.ctx.worker.begin_read(&self.head().await.scope).await.unwrap()
    }

    /// Puts every machine on a site whose days begin between two full hours: 18:30 UTC.
    pub async fn move_to_pune(&self) {
        self.execute(
            "insert into sites (workspace_id, id, name, time_zone)
               select workspace_id, id, 'Pune', 'Asia/Kolkata' from assets;
             update assets set site_id = id",
        )
        .await;
    }

    /// One value of one row, as text, seen by the superuser.
    pub async fn value(&self, sql: &str) -> Option<String> {
        let row = self.db.admin().await.query_opt(&format!("select ({sql})::text"), &[]).await.unwrap();
        row.and_then(|r| r.get(0))
    }

    pub async fn execute(&self, sql: &str) {
        self.db.admin().await.batch_execute(sql).await.unwrap();
    }
}
