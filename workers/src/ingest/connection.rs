//! One agent's connection: challenge, welcome, then frames until it ends. Rights are checked again every few seconds.

use super::batches::{self, Change};
use super::keys::KeyChange;
use super::masks::Told;
use super::share::Hold;
use super::{Ingest, pairing};
use anyhow::Context;
use axum::extract::ws::{Message, WebSocket};
use clarity_domain::fingerprint::fingerprint;
use clarity_domain::ids::AgentId;
use clarity_runtime::clock::now_us;
use clarity_runtime::secret::random_bytes;
use clarity_store::agent_key::{ProvenAgent, Standing};
use clarity_store::ingest::source::{self, Arrival};
use clarity_store::{StoreError, WorkspaceScope, masking};
use clarity_wire::frame::{
    Challenge, Denied, DenyCode, Frame, FrameError, Hello, Masks, SourceCursor, Status, Welcome, proof_message,
};
use clarity_wire::hash::BatchHash;
use clarity_wire::limits;
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

/// First words must come within this.
const GREETING: Duration = Duration::from_secs(10);
/// Nothing heard for longer: the connection is half open.
const SILENCE: Duration = Duration::from_secs(20);
/// How often a connection's rights are looked at again: a revoked agent is out within 5 s.
const CHECK: Duration = Duration::from_secs(3);
/// Batches that one transaction takes at most.
const GROUP: usize = 16;
/// What a connection that has to wait holds at most. Agents keep to half of it, their window; one that does not is not listened
/// to meanwhile.
const MOST_WAITING_BYTES: usize = 2 * limits::WINDOW_BYTES as usize;
/// An agent that is held back asks again so often.
const HELD_RETRY_S: u32 = 120;

/// The WebSocket, speaking frames.
pub(super) struct Wire {
    socket: WebSocket,
    peer: SocketAddr,
}

impl Wire {
    pub(super) async fn send(&mut self, frame: &Frame) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::Binary(frame.encode()?)).await?)
    }

    /// The next frame; none when the other end closed.
    pub(super) async fn receive(&mut self) -> anyhow::Result<Option<Frame>> {
        loop {
            match self.socket.recv().await {
                None | Some(Ok(Message::Close(_))) => return Ok(None),
                Some(Ok(Message::Binary(bytes))) => return Ok(Some(Frame::decode(bytes)?)),
                Some(Ok(Message::Text(_) | Message::Ping(_) | Message::Pong(_))) => {}
                Some(Err(error)) => return Err(error.into()),
            }
        }
    }
}

/// Says why the connection ends, and writes it down: of a key or a code that does not fit an operator wants to hear.
pub(super) async fn denied(
    wire: &mut Wire,
    code: DenyCode,
    message: &str,
    retry_after_s: Option<u32>,
) -> anyhow::Result<()> {
    match code {
        DenyCode::Busy => tracing::info!(peer = %wire.peer, ?code, "an agent has to wait"),
        _ => tracing::warn!(peer = %wire.peer, ?code, "an agent was refused"),
    }
    wire.send(&Frame::Denied(Denied { code, message: message.into(), retry_after_s })).await?;
    // Best effort: the other end may be gone already.
    let _ = timeout(Duration::from_secs(2), wire.socket.send(Message::Close(None))).await;
    Ok(())
}

pub(super) async fn serve(ingest: Ingest, socket: WebSocket, peer: SocketAddr) {
    let mut wire = Wire { socket, peer };
    if let Err(error) = greet(&ingest, &mut wire, peer).await {
        if let Some(FrameError::Protocol(_) | FrameError::TooLarge(_) | FrameError::HeaderTooLarge(_)) =
            error.downcast_ref()
        {
            let _ = denied(&mut wire, DenyCode::Protocol, &format!("{error}. Update the agent."), Some(300)).await;
        }
        tracing::info!(%peer, error = format!("{error:#}"), "agent's connection ended");
    }
}

async fn greet(ingest: &Ingest, wire: &mut Wire, peer: SocketAddr) -> anyhow::Result<()> {
    if ingest.arrivals.check_key(&peer.ip()).is_err() {
        return denied(wire, DenyCode::Busy, "Too many connections from this address.", Some(10)).await;
    }
    let first = timeout(GREETING, wire.receive()).await.context("nothing was said")??;
    match first {
        Some(Frame::Hello(hello)) => agent(ingest, wire, &hello, peer).await,
        Some(Frame::Pair(pair)) => pairing::serve(ingest, wire, pair, peer).await,
        Some(_) => {
            denied(wire, DenyCode::Protocol, "A connection begins with Hello or Pair. Update the agent.", Some(300))
                .await
        }
        None => Ok(()),
    }
}

/// A connection of a paired agent, from challenge to end.
async fn agent(ingest: &Ingest, wire: &mut Wire, hello: &Hello, peer: SocketAddr) -> anyhow::Result<()> {
    let nonce = hex::encode(random_bytes::<32>()?);
    wire.send(&Frame::Challenge(Challenge { nonce: nonce.clone() })).await?;
    let Some(Frame::Proof(proof)) = timeout(GREETING, wire.receive()).await.context("no proof came")?? else {
        return denied(wire, DenyCode::BadProof, "The challenge was not answered.", Some(30)).await;
    };
    let agent_id = hello.agent_id;
    let Some(known) = ingest.auth.find_agent(agent_id).await? else {
        return denied(
            wire,
            DenyCode::UnknownAgent,
            "This agent is not known here. Pair it again from the Sources page.",
            None,
        )
        .await;
    };
    if known.revoked {
        return denied(
            wire,
            DenyCode::Revoked,
            "This agent was revoked. To use it again, pair it anew from the Sources page.",
            None,
        )
        .await;
    }
    let (confirmed, offered) = (known.generation, known.offered);
    let signed = proof_message(&nonce, agent_id, hello.generation);
    let proven = known.prove(|key| is_signed(key, &signed, &proof.signature));
    let Some(ProvenAgent { scope, key, is_next }) = proven else {
        return denied(
            wire,
            DenyCode::BadProof,
            "The agent's key does not fit. Pair it again from the Sources page.",
            None,
        )
        .await;
    };
    let share = ingest.shares.of(&scope);
    share.refresh(ingest, &scope).await;
    if let Some(hold) = share.hold() {
        return held(ingest, wire, &scope, hold).await;
    }
    // A higher one than we know is the true agent's too: our database was restored from an older copy.
    let welcomed = if hello.generation == confirmed || hello.generation >= offered {
        ingest.auth.offer_generation(agent_id, hello.generation, &key, hello.replaces_key).await?
    } else {
        None
    };
    let Some(generation) = welcomed else {
        let words = "Another machine connected with this agent's key since: this one is a copy, and is refused. \
                     If this is the right machine, pair it again and revoke the other.";
        note(ingest, &scope, true, Some("A copy of this agent tried to connect and was refused.")).await;
        return denied(wire, DenyCode::Clone, words, None).await;
    };
    // Said with each connection: one that broke after its first use of a new key has not said them.
    let words = fingerprint(&Sha256::digest(key).into());
    if is_next && ingest.auth.follow_key(agent_id, &key).await? {
        tracing::info!(%agent_id, fingerprint = words, "an agent's key was replaced; the one before opens nothing any more");
    }
    let (sources, told, masks) = register(ingest, &scope, hello, peer, &words).await?;
    tracing::info!(%agent_id, generation, version = clean(&hello.agent_version), "agent connected");
    let welcome =
        Welcome { generation, clock_us: now_us(), window_bytes: limits::WINDOW_BYTES, sources, masks: Some(masks) };
    wire.send(&Frame::Welcome(welcome)).await?;
    let key = KeyChange::new(agent_id, generation, key, hello.replaces_key);
    let ended = converse(ingest, wire, &scope, agent_id, generation, told, key).await;
    // A newer connection of the same agent may have said "connected" already: only the current one says that it ended.
    if matches!(ingest.auth.standing(agent_id, generation).await, Ok(Standing::Current { .. } | Standing::Revoked)) {
        note(ingest, &scope, false, None).await;
    }
    ended
}

pub(super) fn is_signed(key: &[u8; 32], message: &[u8], signature: &str) -> bool {
    let signature = hex::decode(signature).ok().and_then(|bytes| Signature::from_slice(&bytes).ok());
    match (VerifyingKey::from_bytes(key), signature) {
        (Ok(key), Some(signature)) => key.verify_strict(message, &signature).is_ok(),
        _ => false,
    }
}

/// What an agent says of itself, for the database and the log.
pub(super) fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(200).collect()
}

async fn register(
    ingest: &Ingest,
    scope: &WorkspaceScope,
    hello: &Hello,
    peer: SocketAddr,
    fingerprint: &str,
) -> anyhow::Result<(Vec<SourceCursor>, Told, Masks)> {
    let address = peer.ip().to_string();
    let mut tx = ingest.store.begin(scope).await?;
    let arrival = Arrival {
        version: &clean(&hello.agent_version),
        hostname: &clean(&hello.hostname),
        address: &address,
        clock_skew_us: hello.clock_us.saturating_sub(now_us()),
        fingerprint,
    };
    source::arrive(&mut tx, &arrival).await?;
    let mut sources = Vec::with_capacity(hello.sources.len());
    for described in hello.sources.iter().take(200) {
        let known =
            source::register(&mut tx, &clean(&described.name), &clean(&described.kind), &clean(&described.product))
                .await?;
        sources.push(SourceCursor {
            name: described.name.clone(),
            source_id: known.id,
            epoch: known.cursor.epoch,
            next_seq: known.cursor.next_seq,
            last_hash: BatchHash(known.cursor.last_hash),
            position: known.cursor.position,
            paused: known.paused,
        });
    }
    let (told, masks) = Told::begin(&mut tx, &sources).await?;
    tx.commit().await?;
    Ok((sources, told, masks))
}

/// Frames of a welcomed agent, until it leaves, falls silent, loses its rights or we stop.
async fn converse(
    ingest: &Ingest,
    wire: &mut Wire,
    scope: &WorkspaceScope,
    agent_id: AgentId,
    generation: u64,
    mut told: Told,
    mut key: KeyChange,
) -> anyhow::Result<()> {
    let mut confirmed = false;
    let mut heard_at = Instant::now();
    let mut check = interval(CHECK);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let share = ingest.shares.of(scope);
    // What has arrived and may not go yet: more than a moment only where the plan's rate says so.
    let mut waiting: Vec<Change> = Vec::with_capacity(GROUP);
    loop {
        let full = waiting.iter().map(Change::size_bytes).sum::<usize>() >= MOST_WAITING_BYTES;
        let heard = tokio::select! {
            frame = wire.receive(), if !full => match frame? {
                Some(frame) => Some(frame),
                None => return Ok(()),
            },
            () = sleep(share.wait()), if !waiting.is_empty() => None,
            _ = check.tick() => {
                match ingest.auth.standing(agent_id, generation).await {
                    Ok(Standing::Current { new_key_asked }) => {
                        if new_key_asked && let Some(question) = key.question()? {
                            wire.send(&question).await?;
                        }
                    }
                    Ok(Standing::Revoked) => {
                        return denied(wire, DenyCode::Revoked, "This agent was revoked. To use it again, pair it anew.", None).await;
                    }
                    Ok(Standing::Superseded) => return Ok(()),
                    Err(error) => return Err(error.into()),
                }
                share.refresh(ingest, scope).await;
                if let Some(hold) = share.hold() {
                    return held(ingest, wire, scope, hold).await;
                }
                if full {
                    // Nobody listens: silence is ours.
                    heard_at = Instant::now();
                }
                anyhow::ensure!(heard_at.elapsed() < SILENCE, "the agent fell silent");
                if let Some(masks) = told.news(ingest, scope).await? {
                    wire.send(&Frame::Masks(masks)).await?;
                }
                wire.send(&Frame::Heartbeat).await?;
                continue;
            }
            () = ingest.shutdown.cancelled() => {
                return denied(wire, DenyCode::Busy, "Clarity Stream restarts; your data waits in the spool.", Some(1)).await;
            }
        };
        let (mut status, mut new_key) = (None, None);
        let mut heartbeat = false;
        if heard.is_some() {
            heard_at = Instant::now();
            if !confirmed {
                if !ingest.auth.confirm_generation(agent_id, generation).await? {
                    return Ok(());
                }
                confirmed = true;
            }
        }
        let mut next = heard;
        // What has arrived meanwhile goes into the same transaction.
        while let Some(frame) = next.take() {
            match frame {
                Frame::Batch(header, body) => waiting.push(Change::Batch(header, body)),
                Frame::Lost(lost) => waiting.push(Change::Lost(lost)),
                Frame::OpenEpoch(epoch) => waiting.push(Change::OpenEpoch(epoch)),
                Frame::Status(said) => status = Some(said),
                Frame::NewKey(said) => new_key = Some(said),
                Frame::Heartbeat => heartbeat = true,
                _ => {}
            }
            if waiting.len() < GROUP {
                next = match futures::FutureExt::now_or_never(wire.receive()) {
                    Some(frame) => frame?,
                    None => None,
                };
            }
        }
        let mut going = share.take(&mut waiting, GROUP);
        if !going.is_empty() {
            // The turn ends before the answers go: an agent that does not read them keeps nobody waiting.
            let answers = {
                let _turn = share.turn().await;
                batches::apply(&ingest.store, scope, &mut going).await?
            };
            for answer in answers {
                wire.send(&answer).await?;
            }
        }
        if !waiting.is_empty() {
            share.note_slowdown(ingest, scope).await;
        }
        if let Some(said) = new_key
            && let Some(kept) = key.take(ingest, &said).await?
        {
            wire.send(&kept).await?;
        }
        if let Some(status) = status {
            keep_status(ingest, scope, agent_id, status).await?;
        } else if heartbeat {
            note(ingest, scope, true, None).await;
        }
    }
}

/// Ends the connection of an agent whose workspace has used up its month: what it has stays in its spool.
async fn held(ingest: &Ingest, wire: &mut Wire, scope: &WorkspaceScope, hold: Hold) -> anyhow::Result<()> {
    note(ingest, scope, true, Some(hold.words())).await;
    note(ingest, scope, false, None).await;
    denied(wire, DenyCode::Busy, hold.words(), Some(HELD_RETRY_S)).await
}

async fn keep_status(ingest: &Ingest, scope: &WorkspaceScope, agent_id: AgentId, status: Status) -> anyhow::Result<()> {
    let mut tx = ingest.store.begin(scope).await?;
    source::seen(&mut tx, true, None).await?;
    // One that says nothing of masks knows none: an older agent in the place of one that applied them.
    let version = status.masks_version.unwrap_or(0);
    masking::note_applied(&mut tx, agent_id, i64::try_from(version).unwrap_or(i64::MAX)).await?;
    for said in &status.sources {
        if let Some(source_id) = said.source_id {
            let value = without_nul(serde_json::to_value(said)?);
            source::set_status(&mut tx, source_id, said.product.replace('\0', "").as_str(), &value).await?;
        }
    }
    // Batches wait behind this one.
    Ok(tx.commit_unsynced().await?)
}

/// `jsonb` takes no NUL character.
fn without_nul(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::String(text) => Value::String(text.replace('\0', "")),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nul).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(k, v)| (k.replace('\0', ""), without_nul(v))).collect())
        }
        other => other,
    }
}

/// Notes on the agents' page; never worth ending a connection for.
async fn note(ingest: &Ingest, scope: &WorkspaceScope, connected: bool, denied: Option<&str>) {
    let noted: Result<(), StoreError> = async {
        let mut tx = ingest.store.begin(scope).await?;
        source::seen(&mut tx, connected, denied).await?;
        tx.commit_unsynced().await
    }
    .await;
    if let Err(error) = noted {
        tracing::warn!(%error, "could not note that an agent was heard");
    }
}
