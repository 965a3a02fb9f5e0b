//! What row-level security costs: the same transactions on two copies of one database, one with its policies and one with them
//! switched off, a transaction of the one after a transaction of the other. Which of the two has them changes several times:
//! copies are never quite alike in how their rows lie. `cargo xtask bench pipeline --only rls` runs it and reads the one line
//! that it prints.
//!
//! The transactions are the store's own; only the policies differ. The cluster is one of its own that syncs its commits, as the
//! platform's does: what ingest says is durable is on the disk. What the policies cost beside a commit that waits for no disk is
//! told too.

use clarity_domain::ids::{AgentId, SourceId, StreamId};
use clarity_domain::time::{HOUR, MINUTE, Micros};
use clarity_runtime::clock::now_us;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_store::auth::workspace;
use clarity_store::ingest::{Appended, Segment, cursor, segment, source};
use clarity_store::{AppStore, AuthStore, IngestStore, WorkspaceScope, asset, chunk, metric, overview, rollup, state};
use clarity_testkit::TestDb;
use clarity_testkit::stats::{DRAWS, Draws, interval, median};
use serde_json::json;
use std::error::Error;
use std::time::{Duration, Instant};
use tokio_postgres::Client;
use uuid::Uuid;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Workspaces in the tables, and machines of each.
const WORKSPACES: u32 = 20;
/// Transactions of a kind that are not counted.
const WARM: usize = 40;
/// Pairs of transactions of a kind.
const PAIRS: usize = 1_500;
/// Of the large segments: each is half a megabyte.
const LARGE_PAIRS: usize = 400;
/// What an agent sends when 5,000 rows a second come: events and bytes of a segment.
const LIVE: (u32, usize) = (100, 12_000);
/// And when a backlog is read.
const BACKLOG: (u32, usize) = (5_000, 500_000);

/// Statements of the Overview's transaction.
const OVERVIEW_READS: f64 = 5.0;
/// How often the two change roles while one kind of transaction is measured.
const PHASES: usize = 8;

/// Switches what has policies in schema public; a partition is reached through its parent.
const SWITCH: &str = "do $$ declare name regclass; begin
  for name in select c.oid from pg_class c
              where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
                and exists (select from pg_policy p where p.polrelid = c.oid)
  loop execute format('alter table %s {} row level security', name); end loop; end $$";

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

/// One of the two databases.
struct Bed {
    ingest: IngestStore,
    app: AppStore,
    agent: WorkspaceScope,
    owner: WorkspaceScope,
    source: SourceId,
    next_seq: u64,
    hash: [u8; 32],
    admin: Client,
}

/// A kind of transaction.
#[derive(Clone, Copy)]
enum Kind {
    Ingest(u32, usize),
    Overview,
    Chart,
}

/// Milliseconds of each transaction, with policies and without.
struct Pairs {
    with: Vec<f64>,
    without: Vec<f64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    if std::env::var_os("CLARITY_TEST_DIR").is_none() {
        return Err(
            "CLARITY_TEST_DIR has to name a folder for a cluster: what other tests share is not switched".into()
        );
    }
    let seeded = TestDb::new().await;
    let admin = seeded.admin().await;
    admin.batch_execute(&SEED.replace("{}", &WORKSPACES.to_string())).await?;
    drop(admin);
    let copied = seeded.copy().await;
    let mut beds = [Bed::make(&seeded).await?, Bed::make(&copied).await?];

    let (events, bytes) = LIVE;
    let unsynced = measure(&mut beds, Kind::Ingest(events, bytes), PAIRS).await?;
    let overview = measure(&mut beds, Kind::Overview, PAIRS).await?;
    let chart = measure(&mut beds, Kind::Chart, PAIRS).await?;
    sync(&seeded, true).await?;
    let live = measure(&mut beds, Kind::Ingest(events, bytes), PAIRS).await?;
    let (events, bytes) = BACKLOG;
    let backlog = measure(&mut beds, Kind::Ingest(events, bytes), LARGE_PAIRS).await?;
    sync(&seeded, false).await?;

    eprintln!("transactions with policies and without, in turns; medians, with 95 % of a bootstrap over the pairs");
    let live = told("ingest, a live segment made durable", &live, Goal::Percent(3.0));
    let backlog = told("ingest, a backlog's segment made durable", &backlog, Goal::Percent(3.0));
    let unsynced = told("ingest, a live segment, the disk not waited for", &unsynced, Goal::None);
    let overview = told("the Overview's five reads", &overview, Goal::Ms(0.1, OVERVIEW_READS));
    let chart = told("a chart's read", &chart, Goal::Ms(0.1, 1.0));
    println!(
        "{}",
        json!({ "ingest_percent": live.percent, "backlog_percent": backlog.percent, "ingest_ms": unsynced.ms,
                "overview_ms": overview.ms, "overview_reads": OVERVIEW_READS, "series_ms": chart.ms })
    );
    Ok(())
}

/// Whether commits wait for the disk, from now on and on the whole cluster.
async fn sync(db: &TestDb, on: bool) -> Outcome {
    let admin = db.admin().await;
    admin.batch_execute(if on { "alter system set fsync = on" } else { "alter system reset fsync" }).await?;
    admin.batch_execute("select pg_reload_conf()").await?;
    // Each session hears of it between two of its commands.
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(())
}

async fn measure(beds: &mut [Bed; 2], kind: Kind, pairs: usize) -> Outcome<Pairs> {
    let mut all = Pairs { with: Vec::with_capacity(pairs), without: Vec::with_capacity(pairs) };
    for phase in 0..PHASES {
        let (with, without) = (phase % 2, 1 - phase % 2);
        beds[with].switch("enable").await?;
        beds[without].switch("disable").await?;
        for n in 0..WARM + pairs / PHASES {
            // Each goes first as often as the other.
            let mut took = [0.0; 2];
            for turn in [n % 2, 1 - n % 2] {
                took[turn] = beds[turn].run(kind).await?;
            }
            if n >= WARM {
                all.with.push(took[with]);
                all.without.push(took[without]);
            }
        }
    }
    Ok(all)
}

impl Bed {
    async fn make(db: &TestDb) -> Outcome<Self> {
        let login =
            |role: DbRole| DbLogin { role, url: db.url(role.name()), password: Secret::new(db.cluster().password()) };
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
        Ok(Self {
            ingest,
            app,
            agent,
            owner,
            source,
            next_seq: at.next_seq,
            hash: at.last_hash,
            admin: db.admin().await,
        })
    }

    async fn switch(&self, word: &str) -> Outcome {
        Ok(self.admin.batch_execute(&SWITCH.replace("{}", word)).await?)
    }

    async fn run(&mut self, kind: Kind) -> Outcome<f64> {
        match kind {
            Kind::Ingest(events, bytes) => self.ingest(events, bytes).await,
            Kind::Overview => self.overview().await,
            Kind::Chart => self.chart().await,
        }
    }

    async fn ingest(&mut self, events: u32, bytes: usize) -> Outcome<f64> {
        let body: Vec<u8> = (0..bytes).map(|n| (n.wrapping_mul(2_654_435_761) >> 7) as u8).collect();
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&(self.next_seq + 1).to_le_bytes());
        let new = Segment {
            source_id: self.source,
            epoch: 1,
            first_seq: self.next_seq,
            event_count: events,
            previous_hash: &self.hash,
            hash: &hash,
            position: &json!({ "safe_lsn": self.next_seq }),
            raw_bytes: events * 1_000,
            last_commit_us: Some(now_us()),
            body: &body,
        };
        let began = Instant::now();
        let mut tx = self.ingest.begin(&self.agent).await?;
        if segment::append(&mut tx, &new).await? == Appended::Elsewhere {
            return Err("the cursor stands elsewhere".into());
        }
        tx.commit().await?;
        let took = ms(began);
        (self.next_seq, self.hash) = (self.next_seq + u64::from(events), hash);
        Ok(took)
    }

    /// What the Overview reads, in one transaction.
    async fn overview(&self) -> Outcome<f64> {
        let now = now_us();
        let began = Instant::now();
        let mut tx = self.app.begin_read(&self.owner).await?;
        overview::counts(&mut tx).await?;
        let machines = asset::list(&mut tx).await?;
        metric::list(&mut tx).await?;
        let latest = chunk::latest(&mut tx).await?;
        let states = state::list_intervals(&mut tx, now - 8 * HOUR, now).await?;
        tx.commit().await?;
        let took = ms(began);
        if machines.len() != 100 || latest.len() != 100 || states.is_empty() {
            return Err("the reads do not give what was seeded".into());
        }
        Ok(took)
    }

    /// A metric of six machines by the minute, in a transaction of its own.
    async fn chart(&self) -> Outcome<f64> {
        let to: Micros = now_us();
        let began = Instant::now();
        let mut tx = self.app.begin_read(&self.owner).await?;
        let assets = [1, 2, 3, 4, 5, 6];
        let of = rollup::list(&mut tx, StreamId(id()), &assets, 3, rollup::MINUTE_GRAIN, to - 60 * MINUTE, to).await?;
        tx.commit().await?;
        let took = ms(began);
        if of.is_empty() {
            return Err("the chart is empty".into());
        }
        Ok(took)
    }
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

/// Of the first workspace, and of everything in it that has one of its kind.
fn id() -> Uuid {
    Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0001)
}

/// What the policies may cost at most.
enum Goal {
    Percent(f64),
    /// Of each of so many reads.
    Ms(f64, f64),
    None,
}

/// What the policies add, to the median of a kind of transaction.
struct Added {
    percent: f64,
    ms: f64,
}

impl Added {
    fn between(with: f64, without: f64) -> Self {
        Self { percent: (with / without - 1.0) * 100.0, ms: with - without }
    }
}

fn told(name: &str, pairs: &Pairs, goal: Goal) -> Added {
    let (with, without) = (median(&pairs.with), median(&pairs.without));
    let added = Added::between(with, without);
    let drawn = bootstrap(pairs);
    let between = |of: fn(&Added) -> f64| interval(drawn.iter().map(of).collect());
    let (low, high) = between(|added| added.ms);
    let (least, most) = between(|added| added.percent);
    let reached = |held: bool| if held { "reached" } else { "missed" };
    let goal = match goal {
        Goal::Percent(goal) => format!(", goal ≤ {goal} %: {}", reached(added.percent <= goal)),
        Goal::Ms(goal, reads) => {
            format!("; {:+.3} ms a read, goal ≤ {goal} ms: {}", added.ms / reads, reached(added.ms / reads <= goal))
        }
        Goal::None => String::new(),
    };
    eprintln!(
        "{name}: {with:.3} ms with policies, {without:.3} ms without: {:+.3} ms ({low:+.3} to {high:+.3}), {:+.1} % ({least:+.1} to {most:+.1}){goal}",
        added.ms, added.percent
    );
    added
}

/// A thousand draws of pairs with replacement.
fn bootstrap(pairs: &Pairs) -> Vec<Added> {
    let mut draws = Draws::default();
    (0..DRAWS)
        .map(|_| {
            let drawn: Vec<usize> = (0..pairs.with.len()).map(|_| draws.below(pairs.with.len())).collect();
            let of = |all: &[f64]| median(&drawn.iter().map(|n| all[*n]).collect::<Vec<f64>>());
            Added::between(of(&pairs.with), of(&pairs.without))
        })
        .collect()
}
