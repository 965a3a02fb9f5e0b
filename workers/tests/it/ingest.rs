//! Ingest over a real socket and a real database: who may speak, what follows the cursor, what does not.

use bytes::Bytes;
use clarity_domain::ids::{AgentId, SourceId};
use clarity_domain::plan::Plan;
use clarity_runtime::database::{DbLogin, DbRole};
use clarity_runtime::secret::Secret;
use clarity_runtime::shutdown::CancellationToken;
use clarity_runtime::telemetry;
use clarity_store::{AuthStore, IngestStore};
use clarity_testkit::{Log, TestDb, wait_until};
use clarity_wire::body::{BodyHeader, BodyWriter, Op};
use clarity_wire::frame::*;
use clarity_wire::hash::BatchHash;
use clarity_workers::config::{Role, Run};
use clarity_workers::ingest;
use ed25519_dalek::{Signer, SigningKey};
use futures::{SinkExt, StreamExt};
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};
use uuid::Uuid;

/// A running ingest with a database of its own.
pub struct Platform {
    pub db: TestDb,
    pub address: SocketAddr,
    stop: CancellationToken,
}

impl Platform {
    pub async fn start() -> Self {
        let db = TestDb::new().await;
        let login = |role: DbRole| DbLogin {
            role,
            url: format!("postgres://127.0.0.1:{}/{}", db.cluster().port(), db.name()),
            password: Secret::new(db.cluster().password()),
        };
        let auth = AuthStore::connect(&login(DbRole::Auth), 3).await.unwrap();
        let store = IngestStore::connect(&login(DbRole::Ingest), 4).await.unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = Run {
            roles: vec![Role::Ingest],
            ingest_listen: address,
            tls_cert: None,
            tls_key: None,
            health_listen: None,
            default_plan: Plan::default(),
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move { ingest::run(&config, auth, store, stopped).await.unwrap() });
        wait_until("ingest listens", Duration::from_secs(10), || async { TcpStream::connect(address).await.is_ok() })
            .await;
        Self { db, address, stop }
    }

    /// A paired agent of a workspace of its own.
    pub async fn agent(&self) -> Agent {
        let (workspace, id) = (Uuid::now_v7(), Uuid::now_v7());
        let key = SigningKey::from_bytes(&clarity_runtime::secret::random_bytes().unwrap());
        let admin = self.db.admin().await;
        let slug = format!("w-{}", workspace.simple());
        admin
            .execute(
                "insert into auth.workspaces (id, slug, name) values ($1::text::uuid, $2, 'Test')",
                &[&workspace.to_string(), &slug],
            )
            .await
            .unwrap();
        let public = key.verifying_key().to_bytes();
        admin
            .execute(
                "insert into auth.agent_keys (agent_id, workspace_id, public_key) values ($1::text::uuid, $2::text::uuid, $3)",
                &[&id.to_string(), &workspace.to_string(), &&public[..]],
            )
            .await
            .unwrap();
        admin
            .execute(
                "insert into agents (workspace_id, id, name) values ($1::text::uuid, $2::text::uuid, 'test')",
                &[&workspace.to_string(), &id.to_string()],
            )
            .await
            .unwrap();
        Agent { id: AgentId(id), key, address: self.address, generation: 0, replaces_key: true }
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.db.admin().await.query_one(sql, &[]).await.unwrap().get(0)
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

pub struct Agent {
    pub id: AgentId,
    pub key: SigningKey,
    pub address: SocketAddr,
    pub generation: u64,
    /// Whether its version says that it can.
    pub replaces_key: bool,
}

/// An open connection.
pub struct Link(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Link {
    pub async fn open(address: SocketAddr) -> Self {
        Self(tokio_tungstenite::connect_async(format!("ws://{address}/agent/v1/stream")).await.unwrap().0)
    }

    pub async fn send(&mut self, frame: Frame) {
        self.0.send(Message::Binary(frame.encode().unwrap())).await.unwrap();
    }

    /// The next frame that is not a heartbeat; none when closed.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            let message =
                tokio::time::timeout(Duration::from_secs(10), self.0.next()).await.expect("an answer within 10 s");
            match message {
                Some(Ok(Message::Binary(bytes))) => match Frame::decode(bytes).unwrap() {
                    Frame::Heartbeat => {}
                    frame => return Some(frame),
                },
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }
}

impl Agent {
    /// What it says of itself.
    fn hello(&self) -> Hello {
        let source = SourceDescriptor {
            name: "db".into(),
            kind: "postgres".into(),
            product: String::new(),
            epoch: 1,
            next_seq: 1,
        };
        Hello {
            agent_id: self.id,
            agent_version: "1.0.0".into(),
            generation: self.generation,
            hostname: "host".into(),
            clock_us: 0,
            sources: vec![source],
            replaces_key: self.replaces_key,
        }
    }

    /// Hello and proof, up to the answer.
    pub async fn connect(&self, sign_with: &SigningKey) -> (Link, Frame) {
        self.connect_saying(self.hello(), sign_with).await
    }

    async fn connect_saying(&self, hello: Hello, sign_with: &SigningKey) -> (Link, Frame) {
        let mut link = Link::open(self.address).await;
        link.send(Frame::Hello(hello)).await;
        let Some(Frame::Challenge(challenge)) = link.next().await else { panic!("no challenge") };
        let message = proof_message(&challenge.nonce, self.id, self.generation);
        link.send(Frame::Proof(Proof { signature: hex::encode(sign_with.sign(&message).to_bytes()) })).await;
        let answer = link.next().await.expect("an answer to the proof");
        (link, answer)
    }

    pub async fn welcomed(&mut self) -> (Link, SourceCursor) {
        let key = self.key.clone();
        let (link, answer) = self.connect(&key).await;
        let Frame::Welcome(mut welcome) = answer else { panic!("{answer:?}") };
        self.generation = welcome.generation;
        (link, welcome.sources.remove(0))
    }
}

/// A batch of `count` heartbeats.
pub fn batch(source_id: SourceId, epoch: u32, first_seq: u64, count: u32, previous: BatchHash) -> (Frame, BatchHash) {
    let mut writer = BodyWriter::default();
    for i in 0..count {
        writer.begin(Op::Heartbeat, 0, i64::from(i), 0, 0);
        writer.end();
    }
    let (body, raw_bytes) = writer.finish(&BodyHeader { v: 1, ..BodyHeader::default() }, 1).unwrap();
    sealed(source_id, epoch, first_seq, count, previous, body, raw_bytes)
}

fn sealed(
    source_id: SourceId,
    epoch: u32,
    first_seq: u64,
    count: u32,
    previous: BatchHash,
    body: Vec<u8>,
    raw_bytes: u32,
) -> (Frame, BatchHash) {
    let hash = BatchHash::chain(previous, epoch, first_seq, count, &BatchHash::of_body(&body));
    let position = json!({ "at": first_seq });
    let header =
        BatchHeader { source_id, epoch, first_seq, count, previous, hash, position, raw_bytes, last_commit_us: None };
    (Frame::Batch(header, Bytes::from(body)), hash)
}

#[tokio::test]
async fn what_an_agent_says_of_itself_is_kept_plain_and_short() {
    let platform = Platform::start().await;
    let agent = platform.agent().await;
    let long = format!("pump\u{1b}[31m\r\nroom {}", "x".repeat(250));
    let sources = (0..300).map(|n| SourceDescriptor {
        name: format!("{n:03} {long}"),
        kind: "postgres".into(),
        product: long.clone(),
        epoch: 1,
        next_seq: 1,
    });
    let hello =
        Hello { hostname: long.clone(), agent_version: long.clone(), sources: sources.collect(), ..agent.hello() };
    let (_link, answer) = agent.connect_saying(hello, &agent.key).await;
    assert!(matches!(answer, Frame::Welcome(_)), "{answer:?}");
    for (table, column) in [("agents", "hostname"), ("agents", "version"), ("sources", "name"), ("sources", "product")]
    {
        let kept = platform.count(&format!("select count(*) from {table} where length({column}) = 200")).await;
        assert!(kept >= 1, "{table}.{column}");
        let wrong = format!("{column} ~ '[[:cntrl:]]' or length({column}) > 200");
        assert_eq!(platform.count(&format!("select count(*) from {table} where {wrong}")).await, 0, "{table}.{column}");
    }
    assert_eq!(platform.count("select count(*) from sources").await, 200);
}

#[tokio::test]
async fn a_connection_that_names_an_origin_is_refused() {
    let platform = Platform::start().await;
    let url = format!("ws://{}/agent/v1/stream", platform.address);
    for origin in ["https://evil.example", "null", "https://clarity.example"] {
        let mut request = url.as_str().into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        match tokio_tungstenite::connect_async(request).await {
            Err(tungstenite::Error::Http(answer)) => assert_eq!(answer.status().as_u16(), 403, "{origin}"),
            Err(error) => panic!("{origin}: {error}"),
            Ok(_) => panic!("{origin} was let in"),
        }
    }
    // Without one, the first word is ours.
    drop(Link::open(platform.address).await);
}

#[tokio::test]
async fn a_batch_is_durable_once() {
    let platform = Platform::start().await;
    let mut agent = platform.agent().await;
    let (mut link, cursor) = agent.welcomed().await;
    assert_eq!((cursor.epoch, cursor.next_seq, cursor.last_hash), (1, 1, BatchHash::ZERO));

    let (first, hash) = batch(cursor.source_id, 1, 1, 10, BatchHash::ZERO);
    link.send(first.clone()).await;
    let Some(Frame::Durable(durable)) = link.next().await else { panic!("not durable") };
    assert_eq!((durable.next_seq, durable.hash), (11, hash));

    // Sent again, as after a lost confirmation: refused with the place to go on from.
    link.send(first).await;
    let Some(Frame::Refused(refused)) = link.next().await else { panic!("not refused") };
    assert_eq!((refused.reason, refused.next_seq, refused.last_hash), (RefuseReason::Sequence, 11, hash));

    // A gap in the sequence is refused too, and the right one is taken.
    let (ahead, _) = batch(cursor.source_id, 1, 20, 1, hash);
    link.send(ahead).await;
    assert!(matches!(link.next().await, Some(Frame::Refused(_))));
    let (second, _) = batch(cursor.source_id, 1, 11, 5, hash);
    link.send(second).await;
    assert!(matches!(link.next().await, Some(Frame::Durable(d)) if d.next_seq == 16));
    drop(link);

    let (_, cursor) = agent.welcomed().await;
    assert_eq!((cursor.next_seq, cursor.position), (16, Some(json!({ "at": 11 }))));
    assert_eq!(platform.count("select sum(event_count) from bronze_segments").await, 15);
    assert_eq!(platform.count("select next_seq from ops.source_heads").await, 16);
}

/// The day of receipt is part of a segment's key, so the key alone would take a batch once a day.
#[tokio::test]
async fn a_batch_is_durable_once_across_midnight() {
    let platform = Platform::start().await;
    let mut agent = platform.agent().await;
    let (mut link, cursor) = agent.welcomed().await;
    let (first, hash) = batch(cursor.source_id, 1, 1, 10, BatchHash::ZERO);
    link.send(first.clone()).await;
    assert!(matches!(link.next().await, Some(Frame::Durable(d)) if d.next_seq == 11));
    // The day ends: what is durable lies in yesterday's partition.
    let admin = platform.db.admin().await;
    admin.execute("update bronze_segments set received_on = received_on - 1", &[]).await.unwrap();
    // Its confirmation was lost: the agent offers it again, on a connection of before and on a new one.
    for _ in 0..2 {
        link.send(first.clone()).await;
        let Some(Frame::Refused(refused)) = link.next().await else { panic!("not refused") };
        assert_eq!((refused.reason, refused.next_seq, refused.last_hash), (RefuseReason::Sequence, 11, hash));
        (link, _) = agent.welcomed().await;
    }
    let (second, _) = batch(cursor.source_id, 1, 11, 5, hash);
    link.send(second).await;
    assert!(matches!(link.next().await, Some(Frame::Durable(d)) if d.next_seq == 16));
    assert_eq!(platform.count("select count(distinct received_on) from bronze_segments").await, 2);
    assert_eq!(platform.count("select sum(event_count) from bronze_segments").await, 15);
}

#[tokio::test]
async fn another_past_is_a_diverged_spool_and_a_new_epoch_ends_it() {
    let platform = Platform::start().await;
    let mut agent = platform.agent().await;
    let (mut link, cursor) = agent.welcomed().await;
    let (first, _) = batch(cursor.source_id, 1, 1, 10, BatchHash::ZERO);
    link.send(first).await;
    link.next().await;

    let (other, _) = batch(cursor.source_id, 1, 11, 1, BatchHash([7; 32]));
    link.send(other).await;
    assert!(matches!(link.next().await, Some(Frame::Refused(r)) if r.reason == RefuseReason::Diverged));
    link.send(Frame::OpenEpoch(OpenEpoch {
        source_id: cursor.source_id,
        epoch: 2,
        reason: "disk restored".into(),
        gap: true,
    }))
    .await;
    assert!(matches!(link.next().await, Some(Frame::Durable(d)) if (d.epoch, d.next_seq) == (2, 1)));
    let (anew, _) = batch(cursor.source_id, 2, 1, 3, BatchHash::ZERO);
    link.send(anew).await;
    assert!(matches!(link.next().await, Some(Frame::Durable(d)) if (d.epoch, d.next_seq) == (2, 4)));
    assert_eq!(
        platform.count("select count(*) from gap_markers where kind = 'new_epoch' and reason = 'disk restored'").await,
        1
    );
}

#[tokio::test]
async fn a_loss_leaves_a_marker_and_moves_the_cursor() {
    let platform = Platform::start().await;
    let mut agent = platform.agent().await;
    let (mut link, cursor) = agent.welcomed().await;
    let lost =
        Lost { source_id: cursor.source_id, epoch: 1, from_seq: 1, to_seq: 1001, reason: "the spool was full".into() };
    link.send(Frame::Lost(lost.clone())).await;
    let Some(Frame::Durable(durable)) = link.next().await else { panic!("not moved") };
    assert_eq!(durable.next_seq, 1001);
    link.send(Frame::Lost(lost)).await;
    assert!(matches!(link.next().await, Some(Frame::Refused(_))), "a loss is marked once");
    let (next, _) = batch(cursor.source_id, 1, 1001, 1, durable.hash);
    link.send(next).await;
    assert!(matches!(link.next().await, Some(Frame::Durable(d)) if d.next_seq == 1002));
    assert_eq!(platform.count("select to_seq - from_seq from gap_markers where kind = 'lost'").await, 1000);
}

#[tokio::test]
async fn what_cannot_be_decoded_is_set_aside_and_the_stream_goes_on() {
    let platform = Platform::start().await;
    let mut agent = platform.agent().await;
    let (mut link, cursor) = agent.welcomed().await;
    let bomb = zstd::bulk::compress(&vec![b'\n'; 64 << 20], 3).unwrap();
    let mut previous = BatchHash::ZERO;
    for (i, body) in [b"no zstd at all".to_vec(), bomb].into_iter().enumerate() {
        let (frame, hash) = sealed(cursor.source_id, 1, 1 + i as u64 * 4, 4, previous, body, 9);
        link.send(frame).await;
        assert!(matches!(link.next().await, Some(Frame::Durable(d)) if d.hash == hash));
        previous = hash;
    }
    let (good, _) = batch(cursor.source_id, 1, 9, 2, previous);
    link.send(good).await;
    assert!(matches!(link.next().await, Some(Frame::Durable(d)) if d.next_seq == 11));
    assert_eq!(
        platform.count("select count(*) from gap_markers where kind = 'quarantined' and body is not null").await,
        2
    );
    assert_eq!(platform.count("select sum(event_count) from bronze_segments").await, 2);
}

#[tokio::test]
async fn only_the_holder_of_the_key_is_welcome() {
    let platform = Platform::start().await;
    let agent = platform.agent().await;
    let stranger = SigningKey::from_bytes(&[3; 32]);
    let (_, answer) = agent.connect(&stranger).await;
    assert!(matches!(answer, Frame::Denied(d) if d.code == DenyCode::BadProof));
    let unknown = Agent {
        id: AgentId(Uuid::now_v7()),
        key: stranger.clone(),
        address: platform.address,
        generation: 0,
        replaces_key: true,
    };
    let (_, answer) = unknown.connect(&stranger).await;
    assert!(matches!(answer, Frame::Denied(d) if d.code == DenyCode::UnknownAgent));
}

#[tokio::test]
async fn a_copy_of_an_agent_is_refused_and_a_lost_welcome_is_not() {
    let platform = Platform::start().await;
    let mut agent = platform.agent().await;
    // The Welcome is lost on the way: the agent shows the older generation again, and may.
    let (link, answer) = agent.connect(&agent.key.clone()).await;
    assert!(matches!(answer, Frame::Welcome(_)));
    drop(link);
    let (mut link, _) = agent.welcomed().await;
    link.send(Frame::Heartbeat).await;
    // It takes over from its own half-open connection at once.
    let copy = Agent { key: agent.key.clone(), ..agent };
    let (mut link, _) = agent.welcomed().await;
    link.send(Frame::Status(Status::default())).await;
    let admin = platform.db.admin().await;
    let generation = agent.generation as i64;
    wait_until("the generation is confirmed", Duration::from_secs(5), || async {
        admin.query_one("select generation from auth.agent_keys", &[]).await.unwrap().get::<_, i64>(0) == generation
    })
    .await;
    let (_, answer) = copy.connect(&copy.key).await;
    assert!(matches!(answer, Frame::Denied(d) if d.code == DenyCode::Clone));
}

#[tokio::test]
async fn a_revoked_agent_is_out_within_five_seconds() {
    let platform = Platform::start().await;
    let mut agent = platform.agent().await;
    let (mut link, _) = agent.welcomed().await;
    platform.db.admin().await.execute("update auth.agent_keys set revoked_at = now()", &[]).await.unwrap();
    let from = std::time::Instant::now();
    assert!(matches!(link.next().await, Some(Frame::Denied(d)) if d.code == DenyCode::Revoked));
    assert!(from.elapsed() < Duration::from_secs(5), "{:?}", from.elapsed());
    let (_, answer) = agent.connect(&agent.key.clone()).await;
    assert!(matches!(answer, Frame::Denied(d) if d.code == DenyCode::Revoked));
}

#[tokio::test]
async fn another_workspaces_source_reads_as_not_there() {
    let platform = Platform::start().await;
    let (mut mine, mut theirs) = (platform.agent().await, platform.agent().await);
    let (_, victim) = theirs.welcomed().await;
    let (mut link, _) = mine.welcomed().await;
    let (frame, _) = batch(victim.source_id, 1, 1, 1, BatchHash::ZERO);
    link.send(frame).await;
    assert!(link.next().await.is_none(), "the connection ends: the source is not there");
    assert_eq!(platform.count("select count(*) from bronze_segments").await, 0);
}

#[tokio::test]
async fn an_agent_is_told_what_to_mask_and_told_again_when_it_changes() {
    let platform = Platform::start().await;
    let mut agent = platform.agent().await;
    let other = platform.agent().await;
    let (link, cursor) = agent.welcomed().await;
    drop(link);
    let admin = platform.db.admin().await;
    let policy = |workspace_of: &Agent, source: &str, field: &str, place: &str| {
        format!(
            "insert into masking_policies (workspace_id, id, source_id, stream, field, rule, place, created_by, created_by_name)
             select workspace_id, gen_random_uuid(), {source}, 'public.staff', '{field}', '{{\"kind\": \"hash\"}}', '{place}',
                    gen_random_uuid(), 'Maja'
             from agents where id = '{}'",
            workspace_of.id
        )
    };
    let own = format!("'{}'::uuid", cursor.source_id);
    admin.batch_execute(&policy(&agent, &own, "name", "agent")).await.unwrap();
    admin.batch_execute(&policy(&agent, "null", "seen", "view")).await.unwrap();
    admin.batch_execute(&policy(&other, "null", "foreign", "agent")).await.unwrap();
    let key = agent.key.clone();
    let (mut link, answer) = agent.connect(&key).await;
    let Frame::Welcome(welcome) = answer else { panic!("{answer:?}") };
    let masks = welcome.masks.expect("a list");
    let named: Vec<(Option<&str>, &str)> =
        masks.masks.iter().map(|mask| (mask.source.as_deref(), mask.field.as_str())).collect();
    assert_eq!((masks.version, named), (1, vec![(Some("db"), "name")]));

    // Another one, while it is connected.
    link.send(Frame::Heartbeat).await;
    admin.batch_execute(&policy(&agent, "null", "badge", "agent")).await.unwrap();
    let started = std::time::Instant::now();
    let Some(Frame::Masks(masks)) = link.next().await else { panic!("nothing was said") };
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!((masks.version, masks.masks.len()), (2, 2));
    assert!(masks.masks.iter().any(|mask| mask.source.is_none() && mask.field == "badge"));

    // What it says that it applies is noted.
    link.send(Frame::Status(Status { clock_us: 0, sources: Vec::new(), masks_version: Some(2) })).await;
    let noted =
        format!("select count(*) from agents where id = '{}' and masks_version = 2 and masks_at is not null", agent.id);
    wait_until("the version is noted", Duration::from_secs(10), || async { platform.count(&noted).await == 1 }).await;

    // An older agent in its place knows no masks, and says nothing of them.
    link.send(Frame::Status(Status { clock_us: 0, sources: Vec::new(), masks_version: None })).await;
    let none = format!("select count(*) from agents where id = '{}' and masks_version = 0", agent.id);
    wait_until("it applies none", Duration::from_secs(10), || async { platform.count(&none).await == 1 }).await;
}

#[tokio::test]
async fn a_proof_that_is_wrong_is_in_the_log_and_what_an_agent_says_forges_nothing() {
    let log = Log::default();
    let kept = log.clone();
    let _guard = tracing::subscriber::set_default(telemetry::text("info".into(), move || kept.clone()));
    let platform = Platform::start().await;
    let agent = platform.agent().await;
    let (_, answer) = agent.connect(&SigningKey::from_bytes(&[3; 32])).await;
    assert!(matches!(answer, Frame::Denied(d) if d.code == DenyCode::BadProof));
    let mut link = Link::open(platform.address).await;
    let key = &agent.key;
    let pair = Pair {
        code: "AAAA-AAAA".into(),
        public_key: hex::encode(key.verifying_key().to_bytes()),
        signature: "00".repeat(64),
        hostname: "host\n2026-01-01T00:00:00Z  INFO all is well".into(),
        agent_version: "1".into(),
    };
    link.send(Frame::Pair(pair)).await;
    assert!(matches!(link.next().await, Some(Frame::Denied(d)) if d.code == DenyCode::BadProof));
    let text = log.text();
    assert_eq!(text.matches("an agent was refused").count(), 2, "{text}");
    assert!(text.contains("BadProof") && text.contains("127.0.0.1"), "{text}");
    assert!(!text.lines().any(|line| line.starts_with("2026-01-01T00:00:00Z")), "{text}");
}

/// Ingest has two doors: for agents, and for whoever looks whether it lives, which says nothing else.
#[tokio::test]
async fn ingest_has_no_other_doors() {
    let platform = Platform::start().await;
    let ask = async |path: &str| {
        let mut stream = TcpStream::connect(platform.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: ingest\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        (head.split(' ').nth(1).unwrap().to_owned(), head.to_lowercase(), body.to_owned())
    };
    let (status, head, body) = ask("/healthz").await;
    assert_eq!((status.as_str(), body.as_str()), ("200", "ok"));
    assert!(!head.contains("server:") && !head.contains("x-powered"), "{head}");
    assert_eq!(ask("/agent/v1/stream").await.0, "400", "frames alone are spoken");
    for path in ["/", "/metrics", "/debug/pprof/", "/readyz", "/agent/v1", "/agent/v2/stream", "/api/v1/openapi.json"] {
        assert_eq!(ask(path).await.0, "404", "{path}");
    }
}
