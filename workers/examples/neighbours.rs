//! What others feel of a workspace that sends ten times what its plan allows. `cargo xtask bench pipeline --only neighbours`
//! runs it and reads the one line that it prints.
//!
//! Ingest and refine run in this process on a cluster of their own that syncs its commits; agents are sockets that speak the
//! wire protocol. Three quiet workspaces send small batches all the time, each when the one before is durable; a fourth is
//! silent and noisy in turns. The time from a quiet batch's send to its confirmation is measured.

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use clarity_domain::ids::{AgentId, SourceId};
use clarity_domain::plan::Plan;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::{Secret, random_bytes};
use clarity_runtime::shutdown::CancellationToken;
use clarity_store::{AuthStore, IngestStore, SystemStore, WorkerStore, setup};
use clarity_testkit::cluster::connect;
use clarity_testkit::{Cluster, StopMode};
use clarity_wire::body::{BodyHeader, BodyWriter, Column, Op, StreamSchema};
use clarity_wire::frame::{BatchHeader, Frame, Hello, Proof, SourceDescriptor, proof_message};
use clarity_wire::hash::BatchHash;
use clarity_workers::config::{Role, Run};
use clarity_workers::context::WorkerContext;
use clarity_workers::{ingest, refine};
use ed25519_dalek::{Signer, SigningKey};
use futures::{SinkExt, StreamExt};
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use uuid::Uuid;

const PASSWORD: &str = "neighbours";
const QUIET: usize = 3;
const QUIET_EVENTS: u32 = 100;
const QUIET_EVERY: Duration = Duration::from_millis(20);
/// Agents of the noisy workspace, and what they send together: ten times its rate.
const NOISY: u64 = 4;
const NOISY_RATE: u64 = 2_000;
const NOISY_EVENTS: u32 = 1_000;
const NOISY_IN_FLIGHT: u32 = 64;
/// Turns with and without the noisy one, how long each is, and what of its beginning is left out.
const TURNS: u32 = 16;
const TURN: Duration = Duration::from_secs(10);
const SETTLING: Duration = Duration::from_secs(1);

/// Shared by all agents.
struct Bench {
    noisy: AtomicBool,
    /// Confirmations count now.
    counts: AtomicBool,
    stop: CancellationToken,
    /// Milliseconds, without the noisy one and with it.
    seen: Mutex<[Vec<f64>; 2]>,
    sent: AtomicU64,
    durable: AtomicU64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let dir = std::env::temp_dir().join(format!("clarity-neighbours-{}", std::process::id()));
    let start = move || Cluster::builder(dir).fsync(true).start();
    let cluster = tokio::task::spawn_blocking(start).await??;
    let measured = measure(&cluster).await;
    tokio::task::spawn_blocking(move || {
        let _ = cluster.stop(StopMode::Fast);
        cluster.remove()
    })
    .await??;
    let [mut without, mut with] = measured?;
    let (without, with) = (p95(&mut without)?, p95(&mut with)?);
    println!("{}", json!({ "ratio": with / without, "without_ms": without, "with_ms": with }));
    Ok(())
}

async fn measure(cluster: &Cluster) -> Result<[Vec<f64>; 2]> {
    let passwords: Vec<(DbRole, Secret)> = DbRole::ALL.into_iter().map(|role| (role, Secret::new(PASSWORD))).collect();
    setup::bootstrap(&cluster.admin_url("postgres"), "clarity", &passwords).await?;
    let url = format!("postgres://127.0.0.1:{}/clarity", cluster.port());
    let login = |role: DbRole| DbLogin { role, url: url.clone(), password: Secret::new(PASSWORD) };
    setup::migrate(&login(DbRole::Owner)).await?;
    let (auth, store) =
        (AuthStore::connect(&login(DbRole::Auth), 6).await?, IngestStore::connect(&login(DbRole::Ingest), 16).await?);
    let holder = Uuid::now_v7();
    let context = WorkerContext {
        worker: WorkerStore::connect(&login(DbRole::Worker), 16).await?,
        system: SystemStore::connect_as(holder, &login(DbRole::System), 4).await?,
        holder,
        listener: login(DbRole::System),
    };
    let stop = CancellationToken::new();
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let config = Run {
        roles: vec![Role::Ingest],
        ingest_listen: address,
        tls_cert: None,
        tls_key: None,
        health_listen: None,
        default_plan: Plan::Unlimited,
    };
    let stopped = stop.clone();
    let mut roles = tokio::task::JoinSet::new();
    roles.spawn(async move { ingest::run(&config, auth, store, stopped).await });
    roles.spawn(refine::run(context, stop.clone()));
    let began = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        if began.elapsed() > Duration::from_secs(20) {
            bail!("ingest does not listen");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    let bench = Arc::new(Bench {
        noisy: AtomicBool::new(false),
        counts: AtomicBool::new(false),
        stop: stop.clone(),
        seen: Mutex::default(),
        sent: AtomicU64::new(0),
        durable: AtomicU64::new(0),
    });
    let mut agents = tokio::task::JoinSet::new();
    for _ in 0..QUIET {
        let workspace = workspace(cluster, None).await?;
        let agent = Agent::paired(cluster, workspace, address).await?;
        agents.spawn(quiet(agent, Arc::clone(&bench)));
    }
    let loud = workspace(cluster, Some(NOISY_RATE)).await?;
    for _ in 0..NOISY {
        let agent = Agent::paired(cluster, loud, address).await?;
        agents.spawn(noisy(agent, Arc::clone(&bench)));
    }
    for turn in 0..TURNS {
        // Without, with, with, without: a machine that grows slower or faster does so for both.
        bench.noisy.store(matches!(turn % 4, 1 | 2), Ordering::Relaxed);
        bench.counts.store(false, Ordering::Relaxed);
        tokio::time::sleep(SETTLING).await;
        bench.counts.store(true, Ordering::Relaxed);
        tokio::select! {
            () = tokio::time::sleep(TURN) => {}
            ended = agents.join_next() => bail!("an agent ended: {ended:?}"),
        }
        eprint!("\r{} of {TURNS} turns", turn + 1);
    }
    let (sent, durable) = (bench.sent.load(Ordering::Relaxed), bench.durable.load(Ordering::Relaxed));
    eprintln!("\nthe noisy workspace sent {sent} events, of which {durable} are durable");
    stop.cancel();
    agents.shutdown().await;
    while let Some(ended) = roles.join_next().await {
        ended??;
    }
    let seen = std::mem::take(&mut *bench.seen.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(seen)
}

/// The value that 95 % do not exceed.
fn p95(values: &mut [f64]) -> Result<f64> {
    values.sort_by(f64::total_cmp);
    let index = (values.len() * 95).div_ceil(100).checked_sub(1).context("nothing was measured")?;
    eprintln!("p95 {:.2} ms of {}", values[index], values.len());
    Ok(values[index])
}

/// A new workspace; at this rate, where one is given.
async fn workspace(cluster: &Cluster, rate: Option<u64>) -> Result<Uuid> {
    let (admin, id) = (connect(&cluster.admin_url("clarity")).await?, Uuid::now_v7());
    let mut sql =
        format!("insert into auth.workspaces (id, slug, name) values ('{id}', 'w-{}', 'Bench');", id.simple());
    if let Some(rate) = rate {
        sql += &format!(
            "insert into workspace_plans (workspace_id, plan, agreed)
             values ('{id}', 'unlimited', '{{\"events_per_second\": {rate}}}')"
        );
    }
    admin.batch_execute(&sql).await?;
    Ok(id)
}

/// A welcomed agent with one source.
struct Agent {
    link: WebSocketStream<MaybeTlsStream<TcpStream>>,
    source_id: SourceId,
    next_seq: u64,
    hash: BatchHash,
}

impl Agent {
    async fn paired(cluster: &Cluster, workspace: Uuid, address: SocketAddr) -> Result<Self> {
        let (id, key) = (Uuid::now_v7(), SigningKey::from_bytes(&random_bytes()?));
        let public = hex::encode(key.verifying_key().to_bytes());
        let admin = connect(&cluster.admin_url("clarity")).await?;
        admin
            .batch_execute(&format!(
                "insert into auth.agent_keys (agent_id, workspace_id, public_key) values ('{id}', '{workspace}', '\\x{public}');
                 insert into agents (workspace_id, id, name) values ('{workspace}', '{id}', 'bench')"
            ))
            .await?;
        let (link, _) = connect_async(format!("ws://{address}/agent/v1/stream")).await?;
        let mut agent = Self { link, source_id: Uuid::nil().into(), next_seq: 1, hash: BatchHash::ZERO };
        let source = SourceDescriptor {
            name: "db".into(),
            kind: "postgres".into(),
            product: String::new(),
            epoch: 1,
            next_seq: 1,
        };
        let hello = Hello {
            agent_id: AgentId(id),
            agent_version: "bench".into(),
            generation: 0,
            hostname: "bench".into(),
            clock_us: 0,
            sources: vec![source],
            replaces_key: false,
        };
        agent.send(Frame::Hello(hello)).await?;
        let Frame::Challenge(challenge) = agent.receive().await? else { bail!("no challenge") };
        let signature = key.sign(&proof_message(&challenge.nonce, AgentId(id), 0));
        agent.send(Frame::Proof(Proof { signature: hex::encode(signature.to_bytes()) })).await?;
        let Frame::Welcome(welcome) = agent.receive().await? else { bail!("not welcome") };
        agent.source_id = welcome.sources.first().context("no source")?.source_id;
        Ok(agent)
    }

    async fn send(&mut self, frame: Frame) -> Result<()> {
        Ok(self.link.send(Message::Binary(frame.encode()?)).await?)
    }

    async fn receive(&mut self) -> Result<Frame> {
        loop {
            match self.link.next().await.context("the connection ended")?? {
                Message::Binary(bytes) => match Frame::decode(bytes)? {
                    Frame::Heartbeat => {}
                    frame => return Ok(frame),
                },
                Message::Close(_) => bail!("the connection was closed"),
                _ => {}
            }
        }
    }

    /// The next so many events.
    async fn send_batch(&mut self, count: u32) -> Result<()> {
        let mut writer = BodyWriter::default();
        for n in 0..count {
            let at = clarity_runtime::clock::now_us();
            writer.begin(Op::Insert, 0, at, self.next_seq, 1);
            writer.row();
            writer.cell_text(&format!("ENG-{:03}", n % 50));
            writer.cell_text(&jiff::Timestamp::from_microsecond(at + i64::from(n))?.to_string());
            for cell in 0..10 {
                writer.cell_number(&format!("{}.{}", 20 + (n + cell) % 70, cell));
            }
            writer.end_cells();
            writer.end();
        }
        let header = BodyHeader { v: 1, streams: vec![telemetry()], chunks: vec![] };
        let (body, raw_bytes) = writer.finish(&header, 1)?;
        let (previous, first_seq) = (self.hash, self.next_seq);
        let hash = BatchHash::chain(previous, 1, first_seq, count, &BatchHash::of_body(&body));
        let (source_id, position) = (self.source_id, json!({ "at": first_seq }));
        let header = BatchHeader {
            source_id,
            epoch: 1,
            first_seq,
            count,
            previous,
            hash,
            position,
            raw_bytes,
            last_commit_us: None,
        };
        (self.hash, self.next_seq) = (hash, first_seq + u64::from(count));
        self.send(Frame::Batch(header, Bytes::from(body))).await
    }
}

fn telemetry() -> StreamSchema {
    let column = |name: &str, type_name: &str, key: bool| Column {
        name: name.into(),
        type_name: type_name.into(),
        key,
        comment: None,
    };
    let mut columns = vec![column("machine_id", "text", true), column("ts", "timestamptz", true)];
    columns.extend((0..10).map(|n| column(&format!("s{n}"), "float8", false)));
    StreamSchema { name: "public.telemetry".into(), columns, full_old_row: false }
}

/// Sends a batch when the one before is durable, every twenty milliseconds at most.
async fn quiet(mut agent: Agent, bench: Arc<Bench>) -> Result<()> {
    let mut tick = tokio::time::interval(QUIET_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !bench.stop.is_cancelled() {
        tick.tick().await;
        let noisy = bench.noisy.load(Ordering::Relaxed);
        let began = Instant::now();
        agent.send_batch(QUIET_EVENTS).await?;
        let Frame::Durable(durable) = agent.receive().await? else { bail!("not durable") };
        if durable.next_seq != agent.next_seq {
            bail!("durable up to {}, expected {}", durable.next_seq, agent.next_seq);
        }
        if bench.counts.load(Ordering::Relaxed) && noisy == bench.noisy.load(Ordering::Relaxed) {
            let mut seen = bench.seen.lock().unwrap_or_else(PoisonError::into_inner);
            seen[usize::from(noisy)].push(began.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Ok(())
}

/// Sends its part of ten times the rate while it is its turn, as far as it may have batches unconfirmed.
async fn noisy(mut agent: Agent, bench: Arc<Bench>) -> Result<()> {
    let every = Duration::from_secs_f64((NOISY * u64::from(NOISY_EVENTS)) as f64 / (10 * NOISY_RATE) as f64);
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut beat = tokio::time::interval(Duration::from_secs(5));
    let mut confirmed = agent.next_seq;
    while !bench.stop.is_cancelled() {
        tokio::select! {
            _ = tick.tick() => {
                let in_flight = agent.next_seq - confirmed;
                if bench.noisy.load(Ordering::Relaxed) && in_flight < u64::from(NOISY_IN_FLIGHT * NOISY_EVENTS) {
                    agent.send_batch(NOISY_EVENTS).await?;
                    bench.sent.fetch_add(u64::from(NOISY_EVENTS), Ordering::Relaxed);
                }
            }
            _ = beat.tick() => agent.send(Frame::Heartbeat).await?,
            frame = agent.receive() => match frame? {
                Frame::Durable(durable) => {
                    bench.durable.fetch_add(durable.next_seq - confirmed, Ordering::Relaxed);
                    confirmed = durable.next_seq;
                }
                other => bail!("the noisy one was told {other:?}"),
            },
        }
    }
    Ok(())
}
