//! The uplink against a server on a real socket: every event arrives once and in order, whatever happens.

mod faults;
pub mod ingest;
mod keys;
mod masks;
mod way;

use clarity_agent::identity::{AgentKey, Identity, StateDir};
use clarity_agent::masks::Masks;
use clarity_agent::spool::{Block, Limits, Spool, SpoolKey, SpoolWriter};
use clarity_agent::status::StatusReporter;
use clarity_agent::uplink::{Connection, ConnectionState, SourceHandle, Timing, Uplink};
use clarity_wire::body::{BodyHeader, BodyWriter, Op};
use ed25519_dalek::VerifyingKey;
use ingest::{Ingest, agent_id};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub const SOON: Duration = Duration::from_secs(20);

const QUICK: Timing = Timing {
    heartbeat: Duration::from_millis(100),
    silence: Duration::from_millis(400),
    backoff_first: Duration::from_millis(10),
    backoff_most: Duration::from_millis(50),
    denied: Duration::from_secs(300),
};

const SMALL: Limits = Limits {
    limit_bytes: 64 << 20,
    limit_age: Duration::from_secs(3600),
    keep_bytes: 4000,
    segment_bytes: 2000,
    memory_bytes: 3000,
};

/// An agent's spools and uplink on a folder, without sources: the test appends.
pub struct Agent {
    pub sources: Vec<Arc<SourceHandle>>,
    pub masks: Masks,
    pub connection: watch::Receiver<Connection>,
    shutdown: CancellationToken,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Agent {
    pub async fn start(folder: &Path, ingest: &Ingest, names: &[&str]) -> Self {
        Self::start_with(folder, ingest, names, SMALL, false).await
    }

    pub async fn start_with(
        folder: &Path,
        ingest: &Ingest,
        names: &[&str],
        limits: Limits,
        confirms_spooled: bool,
    ) -> Self {
        let dir = StateDir::new(folder);
        dir.create().unwrap();
        let key = AgentKey::load_or_create(&dir).unwrap();
        let public: [u8; 32] = hex::decode(key.public()).unwrap().try_into().unwrap();
        ingest.with(|s| {
            if !s.keeps_key || s.key.is_none() {
                s.key = Some(VerifyingKey::from_bytes(&public).unwrap());
            }
        });
        let wake = Arc::new(Notify::new());
        let mut sources = Vec::new();
        for name in names {
            let spool_key = SpoolKey::load_or_create(&dir.spool_key()).unwrap();
            let spool = Spool::open(&dir.spool().join(name), name, spool_key, limits, wake.clone()).await.unwrap();
            let reporter = StatusReporter::waking(wake.clone());
            sources.push(Arc::new(SourceHandle::new(name, "postgres", spool, reporter, confirms_spooled)));
        }
        let connection = watch::Sender::new(Connection::default());
        let watching = connection.subscribe();
        let identity = Identity {
            agent_id: agent_id(),
            server: ingest.url.clone(),
            name: "press-shop".into(),
            workspace: "w".into(),
        };
        let masks = Masks::open(&dir, Vec::new()).unwrap();
        let uplink = Uplink {
            dir,
            identity,
            ca: None,
            sources: sources.clone(),
            masks: masks.clone(),
            wake,
            timing: QUICK,
            connection,
        };
        let shutdown = CancellationToken::new();
        let task = tokio::spawn(uplink.run(shutdown.clone()));
        Self { sources, masks, connection: watching, shutdown, task }
    }

    /// The writer, as soon as the spool knows where it begins.
    pub async fn writer(&self, i: usize) -> SpoolWriter {
        let spool = &self.sources[i].spool;
        let mut progress = spool.subscribe();
        tokio::time::timeout(SOON, progress.wait_for(|p| p.epoch > 0)).await.expect("a begin in time").unwrap();
        spool.writer().expect("a writer")
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        tokio::time::timeout(SOON, self.task).await.expect("stops in time").unwrap().unwrap();
        for source in &self.sources {
            source.spool.settle().await.unwrap();
        }
    }
}

/// Events numbered from `first`.
pub fn block(first: i64, count: u32) -> Block {
    let mut writer = BodyWriter::default();
    for i in 0..i64::from(count) {
        writer.begin(Op::Insert, 0, first + i, 1, 1);
        writer.row();
        writer.cell_text("pressure");
        writer.end_cells();
        writer.end();
    }
    let (body, raw_bytes) = writer.finish(&BodyHeader { v: 1, ..BodyHeader::default() }, 1).unwrap();
    Block {
        body,
        raw_bytes,
        count,
        position: json!({ "after": first + i64::from(count) }),
        last_commit_us: Some(first),
    }
}

pub async fn append(writer: &mut SpoolWriter, from: i64, blocks: i64, count: u32) -> i64 {
    for i in 0..blocks {
        writer.append(block(from + i * i64::from(count), count)).await.unwrap();
    }
    from + blocks * i64::from(count)
}

pub async fn arrived(ingest: &Ingest, source: &str, events: i64) {
    clarity_testkit::wait_until("all events have arrived", SOON, || async {
        ingest.events(source).len() as i64 >= events
    })
    .await;
    let expected: Vec<i64> = (0..events).collect();
    assert_eq!(ingest.events(source), expected, "each once and in order");
}

pub async fn durable(agent: &Agent, i: usize, next_seq: u64) {
    let mut progress = agent.sources[i].spool.subscribe();
    let wait = progress.wait_for(|p| p.durable_next_seq >= next_seq);
    tokio::time::timeout(SOON, wait).await.expect("durable in time").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_spooled_becomes_durable_and_leaves_the_disk() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let agent = Agent::start(dir.path(), &ingest, &["a", "b"]).await;
    let (mut a, mut b) = (agent.writer(0).await, agent.writer(1).await);
    append(&mut a, 0, 200, 7).await;
    append(&mut b, 0, 100, 3).await;
    arrived(&ingest, "a", 1400).await;
    arrived(&ingest, "b", 300).await;
    durable(&agent, 0, 1401).await;
    let progress = agent.sources[0].spool.subscribe().borrow().clone();
    assert_eq!(progress.durable_position, Some(json!({"after": 1400})));
    let spool = agent.sources[0].spool.clone();
    spool.settle().await.unwrap();
    let state = spool.snapshot();
    assert_eq!(state.unconfirmed_bytes, 0);
    assert!(state.bytes < 4000 + 2 * 2200, "only what is kept for a restored platform stays: {}", state.bytes);
    agent.stop().await;
    assert_eq!(ingest.with(|s| (s.refusals, s.connections)), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_starts_again_goes_on_where_it_was() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let mut next = 0;
    for round in 1..=4 {
        let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
        let mut writer = agent.writer(0).await;
        next = append(&mut writer, next, 30, 5).await;
        if round % 2 == 0 {
            arrived(&ingest, "a", next).await;
        } else {
            let mut connection = agent.connection.clone();
            let connected = connection.wait_for(|c| c.state == ConnectionState::Connected);
            tokio::time::timeout(SOON, connected).await.expect("connected in time").unwrap();
        }
        agent.stop().await;
    }
    arrived(&ingest, "a", next).await;
    assert!(ingest.with(|s| s.epochs.is_empty() && s.lost.is_empty()));
    assert_eq!(ingest.with(|s| s.shown.clone()), [0, 1, 2, 3], "each generation is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_spooled_while_the_platform_was_away_follows() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, 0, 1, 5).await;
    arrived(&ingest, "a", 5).await;
    agent.stop().await;
    // Nobody listens here.
    let away = Ingest { url: "ws://127.0.0.1:9".into(), ..ingest.clone() };
    let agent = Agent::start(dir.path(), &away, &["a"]).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, 5, 100, 5).await;
    agent.stop().await;
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    arrived(&ingest, "a", 505).await;
    agent.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_than_the_window_is_unconfirmed() {
    let (dir, ingest) = (tempfile::tempdir().unwrap(), Ingest::start().await);
    let size = block(0, 50).body.len() as u64;
    ingest.with(|s| {
        s.window = size * 5;
        s.hold_until = size * 4;
    });
    let agent = Agent::start(dir.path(), &ingest, &["a"]).await;
    let mut writer = agent.writer(0).await;
    append(&mut writer, 0, 40, 50).await;
    clarity_testkit::wait_until("most arrived", SOON, || async { ingest.events("a").len() >= 1600 }).await;
    assert!(ingest.with(|s| s.largest_in_flight) <= size * 6, "a body's size varies a little");
    ingest.with(|s| s.hold_until = 0);
    append(&mut writer, 2000, 1, 50).await;
    arrived(&ingest, "a", 2050).await;
    agent.stop().await;
}
