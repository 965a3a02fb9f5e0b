//! What row-level security costs: the same transactions on the same tables, with their policies and with them switched off,
//! in turns, many times. `cargo xtask bench pipeline --only rls` runs it and reads the one line that it prints.
//!
//! The ingest transaction is the store's own, and so are the reads; only the policies differ. The cluster is the tests', which
//! does not wait for the disk: beside a commit that does, the share of the policies is smaller than what is printed here.

use clarity_domain::ids::{AgentId, StreamId};
use clarity_domain::time::{HOUR, MINUTE, Micros};
use clarity_runtime::clock::now_us;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_store::auth::workspace;
use clarity_store::ingest::{Appended, Segment, cursor, segment, source};
use clarity_store::{AppStore, AuthStore, IngestStore, WorkspaceScope, asset, chunk, metric, overview, rollup, state};
use clarity_testkit::TestDb;
use serde_json::json;
use std::error::Error;
use std::time::Instant;
use tokio_postgres::Client;
use uuid::Uuid;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Workspaces in the tables, and machines of each.
const WORKSPACES: u32 = 20;
const ROUNDS: usize = 40;
const WARM: usize = 30;
const EACH: usize = 150;
/// Bytes of a segment, about what an agent sends when 5,000 rows a second come.
const BODY: usize = 12_000;

/// Everything with policies in schema public; a partition is reached through its parent.
const TABLES: &str = "select string_agg(format('alter table %s {} row level security', c.oid::regclass), ';')
                      from pg_class c
                      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                        and exists (select from pg_policy p where p.polrelid = c.oid)";

const SEED: &str = "
  create temporary table w as select n, ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid as id from generate_series(1, {}) n;
  insert into auth.users (id, email, name, password_hash) select id, n || '@bench.example', 'Bench', '' from w;
  insert into auth.workspaces (id, slug, name) select id, 'bench-' || n, 'Bench' from w;
  insert into auth.memberships (workspace_id, user_id, role) select id, id, 'owner' from w;
  insert into auth.agent_keys (agent_id, workspace_id, public_key) select id, id, sha256(id::text::bytea) from w;
  insert into agents (workspace_id, id, name) select id, id, 'bench' from w;
  insert into sources (workspace_id, id, agent_id, name, kind, partition) select id, id, id, 'plant-db', 'postgres', 0 from w;
  insert into streams (workspace_id, id, source_id, name, schema) select id, id, id, 'public.telemetry', '{\"columns\": []}' from w;
  insert into assets (workspace_id, id, number, key, name)
    select w.id, gen_random_uuid(), a, 'ENG-' || a, 'Engine ' || a from w, generate_series(1, 100) a;
  insert into metrics (workspace_id, id, number, stream_id, column_name, name, unit, sample_type)
    select w.id, gen_random_uuid(), m, w.id, 's' || m, 'Sensor ' || m, '', 'float' from w, generate_series(1, 21) m;
  insert into latest_samples (workspace_id, stream_id, asset_number, at, epoch, seq, metric_numbers, ats, snapshots, numbers)
    select w.id, w.id, a, now(), 1, a, array(select generate_series(1, 21)), array_fill(now(), array[21]),
           array_fill(false, array[21]), array_fill(20.5::float8, array[21])
    from w, generate_series(1, 100) a;
  insert into state_intervals (workspace_id, asset_number, from_at, to_at, stream_id, state, category, epoch, seq)
    select w.id, a, now() - i * interval '1 hour', now() - (i - 1) * interval '1 hour', w.id, 'running', 'running', 1, i
    from w, generate_series(1, 100) a, generate_series(1, 24) i;
  insert into rollups (workspace_id, stream_id, asset_number, grain, from_at, to_at, metric_numbers, counts, sums, minima, maxima,
                       firsts, lasts, aggregates)
    select w.id, w.id, a, 60, date_trunc('minute', now()) - m * interval '1 minute',
           date_trunc('minute', now()) - (m - 1) * interval '1 minute', array(select generate_series(1, 21)),
           array_fill(60::bigint, array[21]), array_fill(1.5::float8, array[21]), array_fill(1.5::float8, array[21]),
           array_fill(1.5::float8, array[21]), array_fill(1.5::float8, array[21]), array_fill(1.5::float8, array[21]), ''
    from w, generate_series(1, 20) a, generate_series(1, 120) m;
  drop table w;
  analyze";

struct Bed {
    ingest: IngestStore,
    app: AppStore,
    agent: WorkspaceScope,
    owner: WorkspaceScope,
    source: clarity_domain::ids::SourceId,
    next_seq: u64,
    hash: [u8; 32],
    admin: Client,
    /// The last: the database goes with it.
    _db: TestDb,
}

/// Milliseconds of the three kinds of transaction, a median of each.
#[derive(Clone, Copy)]
struct Round {
    ingest: f64,
    overview: f64,
    series: f64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let mut bed = Bed::make().await?;
    let mut pairs = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS {
        // In turns, and each first as often as the other.
        let on_first = round % 2 == 0;
        let first = bed.round(on_first).await?;
        let second = bed.round(!on_first).await?;
        pairs.push(if on_first { (first, second) } else { (second, first) });
        eprint!("\r{} of {ROUNDS} rounds", round + 1);
    }
    eprintln!();
    eprintln!(
        "{ROUNDS} rounds of {EACH}, policies on and off in turns; medians, with 95 % of a bootstrap over the rounds"
    );
    let of = |pick: fn(&(Round, Round)) -> f64| pairs.iter().map(pick).collect::<Vec<f64>>();
    let ingest = told("ingest transaction", "%", 3.0, &of(|(on, off)| (on.ingest / off.ingest - 1.0) * 100.0));
    let overview = told("overview's reads", "ms", 0.1, &of(|(on, off)| on.overview - off.overview));
    let series = told("a chart's read", "ms", 0.1, &of(|(on, off)| on.series - off.series));
    let with = [median(&of(|p| p.0.ingest)), median(&of(|p| p.0.overview)), median(&of(|p| p.0.series))];
    let without = [median(&of(|p| p.1.ingest)), median(&of(|p| p.1.overview)), median(&of(|p| p.1.series))];
    for (name, (with, without)) in ["ingest", "overview", "chart"].iter().zip(with.iter().zip(without)) {
        eprintln!("  {name}: {with:.3} ms with policies, {without:.3} ms without");
    }
    println!("{}", json!({ "ingest_percent": ingest, "overview_ms": overview, "series_ms": series }));
    Ok(())
}

impl Bed {
    async fn make() -> Outcome<Self> {
        let db = TestDb::new().await;
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
        let admin = db.admin().await;
        admin.batch_execute(&SEED.replace("{}", &WORKSPACES.to_string())).await?;
        let auth = AuthStore::connect(&login(DbRole::Auth), 1).await?;
        let ingest = IngestStore::connect(&login(DbRole::Ingest), 1).await?;
        let app = AppStore::connect(&login(DbRole::App), 1).await?;
        ingest.make_partitions().await?;
        let agent = auth
            .find_agent(AgentId(id()))
            .await?
            .and_then(|known| known.prove(|_| true))
            .map(|proven| proven.scope)
            .ok_or("no agent")?;
        let mut tx = auth.begin().await?;
        let owner = workspace::find_owner_seat(&mut tx, "bench-1").await?.ok_or("no owner")?.scope;
        tx.commit().await?;
        let mut tx = ingest.begin(&agent).await?;
        let source = source::register(&mut tx, "plant-db", "postgres", "PostgreSQL").await?.id;
        let at = cursor::lock(&mut tx, source).await?;
        tx.commit().await?;
        Ok(Self { ingest, app, agent, owner, source, next_seq: at.next_seq, hash: at.last_hash, admin, _db: db })
    }

    async fn round(&mut self, policies: bool) -> Outcome<Round> {
        let word = if policies { "enable" } else { "disable" };
        let row = self.admin.query_one(&TABLES.replace("{}", word), &[]).await?;
        let statements: String = row.get(0);
        self.admin.batch_execute(&statements).await?;
        Ok(Round { ingest: self.ingests().await?, overview: self.overviews().await?, series: self.charts().await? })
    }

    async fn ingests(&mut self) -> Outcome<f64> {
        let body: Vec<u8> = (0..BODY).map(|n| (n.wrapping_mul(2_654_435_761) >> 7) as u8).collect();
        let mut all = Vec::with_capacity(EACH);
        for n in 0..WARM + EACH {
            let mut hash = [0; 32];
            hash[..8].copy_from_slice(&(self.next_seq + 1).to_le_bytes());
            let new = Segment {
                source_id: self.source,
                epoch: 1,
                first_seq: self.next_seq,
                event_count: 100,
                previous_hash: &self.hash,
                hash: &hash,
                position: &json!({ "safe_lsn": self.next_seq }),
                raw_bytes: 100_000,
                last_commit_us: Some(now_us()),
                body: &body,
            };
            let began = Instant::now();
            let mut tx = self.ingest.begin(&self.agent).await?;
            if segment::append(&mut tx, &new).await? == Appended::Elsewhere {
                return Err("the cursor stands elsewhere".into());
            }
            tx.commit().await?;
            if n >= WARM {
                all.push(began.elapsed().as_secs_f64() * 1000.0);
            }
            (self.next_seq, self.hash) = (self.next_seq + 100, hash);
        }
        Ok(median(&all))
    }

    /// What the Overview reads, in one transaction.
    async fn overviews(&self) -> Outcome<f64> {
        let mut all = Vec::with_capacity(EACH);
        for n in 0..WARM + EACH {
            let now = now_us();
            let began = Instant::now();
            let mut tx = self.app.begin_read(&self.owner).await?;
            overview::counts(&mut tx).await?;
            let machines = asset::list(&mut tx).await?;
            metric::list(&mut tx).await?;
            let latest = chunk::latest(&mut tx).await?;
            let states = state::list_intervals(&mut tx, now - 8 * HOUR, now).await?;
            tx.commit().await?;
            if n >= WARM {
                all.push(began.elapsed().as_secs_f64() * 1000.0);
            }
            if machines.len() != 100 || latest.len() != 100 || states.is_empty() {
                return Err("the reads do not give what was seeded".into());
            }
        }
        Ok(median(&all))
    }

    /// A metric of six machines by the minute, in a transaction of its own.
    async fn charts(&self) -> Outcome<f64> {
        let mut all = Vec::with_capacity(EACH);
        for n in 0..WARM + EACH {
            let to: Micros = now_us();
            let began = Instant::now();
            let mut tx = self.app.begin_read(&self.owner).await?;
            let assets = [1, 2, 3, 4, 5, 6];
            let of =
                rollup::list(&mut tx, StreamId(id()), &assets, 3, rollup::MINUTE_GRAIN, to - 60 * MINUTE, to).await?;
            tx.commit().await?;
            if n >= WARM {
                all.push(began.elapsed().as_secs_f64() * 1000.0);
            }
            if of.is_empty() {
                return Err("the chart is empty".into());
            }
        }
        Ok(median(&all))
    }
}

/// Of the first workspace, and of everything in it that has one of its kind.
fn id() -> Uuid {
    Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001)
}

/// The median, told beside its goal.
fn told(name: &str, unit: &str, goal: f64, values: &[f64]) -> f64 {
    let (value, (low, high)) = (median(values), bootstrap(values));
    let word = if value <= goal { "reached" } else { "missed" };
    eprintln!("{name}: {value:+.3} {unit} ({low:+.3} to {high:+.3}), goal ≤ {goal} {unit}: {word}");
    value
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => sorted[n / 2],
        n => f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]),
    }
}

/// Between which values 95 % of the medians lie, of a thousand draws with replacement. Always the same draws.
fn bootstrap(values: &[f64]) -> (f64, f64) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        values[(state >> 33) as usize % values.len()]
    };
    let mut medians: Vec<f64> =
        (0..1_000).map(|_| median(&(0..values.len()).map(|_| draw()).collect::<Vec<_>>())).collect();
    medians.sort_by(f64::total_cmp);
    (medians[25], medians[974])
}
