//! A server on a real socket that keeps a cursor as ingest does, and can be told to misbehave.

use clarity_domain::ids::{AgentId, SourceId};
use clarity_wire::body;
use clarity_wire::frame::{
    Approved, BatchHeader, Challenge, Claimed, Command, Denied, DenyCode, Durable, Frame, KeyKept, Lost, Masks, NewKey,
    OpenEpoch, Pair, RefuseReason, Refused, ReplaceKey, SourceCursor, Welcome, new_key_message, pair_message,
    proof_message,
};
use clarity_wire::hash::BatchHash;
use ed25519_dalek::{Signature, VerifyingKey};
use futures::{SinkExt, StreamExt};
use serde_json::Value;
use sha2::Digest;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, accept_async};
use uuid::Uuid;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cursor {
    pub epoch: u32,
    pub next_seq: u64,
    pub hash: BatchHash,
    pub position: Option<Value>,
}

/// What the server does with the next batch in place of taking it.
#[derive(Clone, Debug)]
pub enum Mischief {
    /// Hangs up before or after the commit, without a word.
    HangUp {
        committed: bool,
    },
    Refuse(RefuseReason),
    /// Reads nothing and says nothing until the client gives up.
    FallSilent,
    /// Takes only the first events of the batch: another cutting than ours, as after a restore.
    TakeOnly(u32),
}

#[derive(Default)]
pub struct State {
    pub key: Option<VerifyingKey>,
    /// The one that is to follow, while a person asks for one; how many were said, and to how many the answer is lost.
    pub next_key: Option<VerifyingKey>,
    pub asks_for_key: bool,
    pub said_keys: Vec<String>,
    pub lost_answers: u32,
    /// An agent that starts brings no other key than the one that is known.
    pub keeps_key: bool,
    /// The last generation sent, and the last that an agent is known to have.
    pub generation: u64,
    confirmed: u64,
    pub shown: Vec<u64>,
    pub cursors: HashMap<String, Cursor>,
    /// The number that each event carries, in the order in which they became durable.
    pub events: HashMap<String, Vec<i64>>,
    pub lost: Vec<Lost>,
    pub epochs: Vec<OpenEpoch>,
    pub statuses: Vec<clarity_wire::frame::Status>,
    pub mischief: VecDeque<Mischief>,
    pub deny: Option<Denied>,
    pub connections: u32,
    pub refusals: u32,
    pub batches: u32,
    /// Batches with more events than this are refused, as past a limit.
    pub most_events: Option<u32>,
    pub largest_in_flight: u64,
    pub window: u64,
    /// Batches are held back until this many bytes have come.
    pub hold_until: u64,
    pub paused: bool,
    /// What each welcome says of masks.
    pub masks: Option<Masks>,
    commands: Vec<mpsc::UnboundedSender<Command>>,
}

impl State {
    /// Keeps a new key, as both keys sign it; whether the agent is told so.
    fn keep(&mut self, said: &NewKey) -> bool {
        let public: [u8; 32] = hex::decode(&said.public_key).unwrap().try_into().unwrap();
        let new = VerifyingKey::from_bytes(&public).unwrap();
        let signed = new_key_message(&"08".repeat(32), agent_id(), &said.public_key);
        for (key, signature) in [(self.key.as_ref().unwrap(), &said.by_own), (&new, &said.by_new)] {
            let signature: [u8; 64] = hex::decode(signature).unwrap().try_into().unwrap();
            assert!(key.verify_strict(&signed, &Signature::from_bytes(&signature)).is_ok(), "signed by both");
        }
        self.next_key = Some(new);
        self.said_keys.push(said.public_key.clone());
        let told = self.lost_answers == 0;
        self.lost_answers = self.lost_answers.saturating_sub(1);
        told
    }
}

#[derive(Clone)]
pub struct Ingest {
    pub state: Arc<Mutex<State>>,
    pub url: String,
    /// A person approves the agent that pairs.
    pub approve: Arc<tokio::sync::Notify>,
}

pub fn source_id(name: &str) -> SourceId {
    SourceId(Uuid::new_v5_like(name))
}

trait V5Like {
    fn new_v5_like(name: &str) -> Self;
}

impl V5Like for Uuid {
    /// The same id for the same name.
    fn new_v5_like(name: &str) -> Self {
        let mut bytes = [0; 16];
        for (i, b) in name.bytes().enumerate() {
            bytes[i % 16] ^= b;
        }
        Uuid::from_bytes(bytes)
    }
}

impl Ingest {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { window: 8 << 20, ..State::default() }));
        let ingest = Self { state, url, approve: Arc::default() };
        let server = ingest.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move { server.serve(stream).await });
            }
        });
        ingest
    }

    pub fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap())
    }

    pub fn events(&self, source: &str) -> Vec<i64> {
        self.with(|s| s.events.get(source).cloned().unwrap_or_default())
    }

    pub fn command(&self, command: Command) {
        self.with(|s| s.commands.retain(|c| c.send(command.clone()).is_ok()));
    }

    async fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut socket = accept_async(stream).await.ok()?;
        let hello = match next(&mut socket).await? {
            Frame::Hello(hello) => hello,
            Frame::Pair(pair) => return self.pair(&mut socket, pair).await,
            _ => return None,
        };
        send(&mut socket, Frame::Challenge(Challenge { nonce: "07".repeat(32) })).await?;
        let Frame::Proof(proof) = next(&mut socket).await? else { return None };
        let denied = self.with(|s| {
            s.connections += 1;
            s.shown.push(hello.generation);
            let signed = proof_message(&"07".repeat(32), hello.agent_id, hello.generation);
            let signature: [u8; 64] = hex::decode(&proof.signature).unwrap().try_into().unwrap();
            let holds = |key: &VerifyingKey| key.verify_strict(&signed, &Signature::from_bytes(&signature)).is_ok();
            if !holds(s.key.as_ref().expect("a key is set")) {
                assert!(s.next_key.as_ref().is_some_and(holds), "the proof holds");
                // From now on it alone.
                s.key = s.next_key.take();
                s.asks_for_key = false;
            }
            let known = [s.confirmed, s.generation];
            assert!(known.contains(&hello.generation), "the agent shows {}, not {known:?}", hello.generation);
            s.deny.clone()
        });
        if let Some(denied) = denied {
            return send(&mut socket, Frame::Denied(denied)).await;
        }
        let (commands, mut orders) = mpsc::unbounded_channel();
        let names: HashMap<SourceId, String> =
            hello.sources.iter().map(|d| (source_id(&d.name), d.name.clone())).collect();
        let welcome = self.with(|s| {
            s.generation += 1;
            s.commands.push(commands);
            let paused = s.paused;
            let cursor = |s: &mut State, name: &String| {
                let fresh = Cursor { epoch: 1, next_seq: 1, ..Cursor::default() };
                let c = s.cursors.entry(name.clone()).or_insert(fresh).clone();
                SourceCursor {
                    name: name.clone(),
                    source_id: source_id(name),
                    epoch: c.epoch,
                    next_seq: c.next_seq,
                    last_hash: c.hash,
                    position: c.position,
                    paused,
                }
            };
            let sources = hello.sources.iter().map(|d| cursor(s, &d.name)).collect();
            Welcome {
                generation: s.generation,
                clock_us: hello.clock_us,
                window_bytes: s.window,
                sources,
                masks: s.masks.clone(),
            }
        });
        send(&mut socket, Frame::Welcome(welcome)).await?;
        if self.with(|s| s.asks_for_key) {
            send(&mut socket, Frame::ReplaceKey(ReplaceKey { nonce: "08".repeat(32) })).await?;
        }
        let generation = self.with(|s| s.generation);
        let mut held = Vec::new();
        let mut held_bytes = 0;
        loop {
            let frame = tokio::select! {
                frame = next(&mut socket) => frame?,
                order = orders.recv() => {
                    send(&mut socket, Frame::Command(order?)).await?;
                    continue;
                }
            };
            self.with(|s| s.confirmed = s.confirmed.max(generation));
            match frame {
                Frame::Batch(header, body) => {
                    held_bytes += body.len() as u64;
                    held.push((header, body));
                    let hold = self.with(|s| {
                        s.largest_in_flight = s.largest_in_flight.max(held_bytes);
                        s.hold_until
                    });
                    if held_bytes < hold {
                        continue;
                    }
                    held_bytes = 0;
                    for (header, body) in std::mem::take(&mut held) {
                        let mischief = self.with(|s| s.mischief.pop_front());
                        match mischief {
                            Some(Mischief::HangUp { committed }) => {
                                if committed {
                                    self.batch(&names, &header, &body);
                                }
                                return None;
                            }
                            Some(Mischief::FallSilent) => {
                                std::future::pending::<()>().await;
                            }
                            Some(Mischief::Refuse(reason)) => {
                                let refused =
                                    self.with(|s| refuse(s, &names[&header.source_id], header.source_id, reason));
                                send(&mut socket, refused).await?;
                            }
                            Some(Mischief::TakeOnly(count)) => {
                                let refused = self.take_only(&names, &header, &body, count);
                                send(&mut socket, refused).await?;
                            }
                            None => send(&mut socket, self.batch(&names, &header, &body)).await?,
                        }
                    }
                }
                Frame::Lost(lost) => {
                    let answer = self.with(|s| {
                        let cursor = s.cursors.get_mut(&names[&lost.source_id]).unwrap();
                        assert_eq!((cursor.epoch, cursor.next_seq), (lost.epoch, lost.from_seq));
                        cursor.next_seq = lost.to_seq;
                        cursor.hash = BatchHash::ZERO;
                        s.lost.push(lost.clone());
                        durable(lost.source_id, cursor_of(s, &names[&lost.source_id]))
                    });
                    send(&mut socket, answer).await?;
                }
                Frame::OpenEpoch(open) => {
                    let answer = self.with(|s| {
                        let cursor = s.cursors.get_mut(&names[&open.source_id]).unwrap();
                        assert!(open.epoch > cursor.epoch, "{open:?} {cursor:?}");
                        *cursor = Cursor { epoch: open.epoch, next_seq: 1, hash: BatchHash::ZERO, ..cursor.clone() };
                        s.epochs.push(open.clone());
                        durable(open.source_id, cursor_of(s, &names[&open.source_id]))
                    });
                    send(&mut socket, answer).await?;
                }
                Frame::Status(status) => self.with(|s| s.statuses.push(status)),
                Frame::NewKey(said) => {
                    if !self.with(|s| s.keep(&said)) {
                        return None;
                    }
                    send(&mut socket, Frame::KeyKept(KeyKept { public_key: said.public_key })).await?;
                }
                _ => {}
            }
        }
    }

    async fn pair(&self, socket: &mut WebSocketStream<TcpStream>, pair: Pair) -> Option<()> {
        if pair.code != "K7QM-4TXR" {
            let denied =
                Denied { code: DenyCode::WrongCode, message: "This code is not right.".into(), retry_after_s: None };
            return send(socket, Frame::Denied(denied)).await;
        }
        let public: [u8; 32] = hex::decode(&pair.public_key).ok()?.try_into().ok()?;
        let signature: [u8; 64] = hex::decode(&pair.signature).ok()?.try_into().ok()?;
        let key = VerifyingKey::from_bytes(&public).ok()?;
        let signed = pair_message(&pair.code, &pair.public_key);
        assert!(key.verify_strict(&signed, &Signature::from_bytes(&signature)).is_ok());
        self.with(|s| s.key = Some(key));
        let fingerprint = clarity_domain::fingerprint::fingerprint(&sha2::Sha256::digest(public).into());
        let claimed = Claimed { agent_id: agent_id(), fingerprint, workspace: "Press Works".into() };
        send(socket, Frame::Claimed(claimed)).await?;
        self.approve.notified().await;
        send(socket, Frame::Approved(Approved { agent_id: agent_id(), name: "press-shop".into() })).await?;
        next(socket).await.map(|_| ())
    }

    fn batch(&self, names: &HashMap<SourceId, String>, header: &BatchHeader, body: &[u8]) -> Frame {
        let name = &names[&header.source_id];
        self.with(|s| {
            s.batches += 1;
            let cursor = s.cursors[name].clone();
            if (cursor.epoch, cursor.next_seq) != (header.epoch, header.first_seq) {
                return refuse(s, name, header.source_id, RefuseReason::Sequence);
            }
            if cursor.hash != header.previous {
                return refuse(s, name, header.source_id, RefuseReason::Diverged);
            }
            if s.most_events.is_some_and(|most| header.count > most) {
                return refuse(s, name, header.source_id, RefuseReason::Limit);
            }
            store(s, name, header, body, header.count);
            durable(header.source_id, s.cursors[name].clone())
        })
    }

    fn take_only(&self, names: &HashMap<SourceId, String>, header: &BatchHeader, body: &[u8], count: u32) -> Frame {
        let name = &names[&header.source_id];
        self.with(|s| {
            store(s, name, header, body, count);
            let cursor = s.cursors.get_mut(name).unwrap();
            cursor.next_seq = header.first_seq + u64::from(count);
            refuse(s, name, header.source_id, RefuseReason::Sequence)
        })
    }
}

fn store(s: &mut State, name: &str, header: &BatchHeader, body: &[u8], count: u32) {
    let body_hash = BatchHash::of_body(body);
    let hash = BatchHash::chain(header.previous, header.epoch, header.first_seq, header.count, &body_hash);
    assert_eq!(hash, header.hash);
    let raw = body::decompress(body).unwrap();
    assert_eq!(raw.len(), header.raw_bytes as usize);
    let (_, lines) = body::read(&raw).unwrap();
    let events: Vec<i64> = lines.map(|l| body::read_event(l).unwrap().commit_us).collect();
    assert_eq!(events.len(), header.count as usize);
    s.events.entry(name.to_owned()).or_default().extend(&events[..count as usize]);
    let next_seq = header.first_seq + u64::from(header.count);
    let position = Some(header.position.clone());
    s.cursors.insert(name.to_owned(), Cursor { epoch: header.epoch, next_seq, hash, position });
}

fn cursor_of(s: &State, name: &str) -> Cursor {
    s.cursors[name].clone()
}

fn durable(source_id: SourceId, cursor: Cursor) -> Frame {
    Frame::Durable(Durable { source_id, epoch: cursor.epoch, next_seq: cursor.next_seq, hash: cursor.hash })
}

fn refuse(s: &mut State, name: &str, source_id: SourceId, reason: RefuseReason) -> Frame {
    s.refusals += 1;
    let cursor = s.cursors[name].clone();
    Frame::Refused(Refused {
        source_id,
        reason,
        epoch: cursor.epoch,
        next_seq: cursor.next_seq,
        last_hash: cursor.hash,
        message: "as the test wants".into(),
    })
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Option<Frame> {
    loop {
        match socket.next().await?.ok()? {
            Message::Binary(bytes) => return Some(Frame::decode(bytes).unwrap()),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

async fn send(socket: &mut WebSocketStream<TcpStream>, frame: Frame) -> Option<()> {
    socket.send(Message::Binary(frame.encode().unwrap())).await.ok()
}

pub fn agent_id() -> AgentId {
    AgentId(Uuid::from_bytes([9; 16]))
}
