//! Hello, challenge, proof, welcome; and pairing, which is a connection of its own.

use super::dial::Socket;
use super::{Ended, now_us};
use crate::identity::{AgentKey, Identity};
use anyhow::{Context, Result, bail};
use clarity_wire::frame::{
    Approved, Claimed, Denied, Frame, Hello, Pair, Proof, SourceDescriptor, Welcome, pair_message, proof_message,
};
use std::time::Duration;
use tokio::time::timeout;

const ANSWER: Duration = Duration::from_secs(15);

/// What this agent calls itself.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub fn hostname() -> String {
    let name =
        std::fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| std::fs::read_to_string("/etc/hostname"));
    name.map(|n| n.trim().to_owned()).ok().filter(|n| !n.is_empty()).unwrap_or_else(|| "unknown".into())
}

async fn answer(socket: &mut Socket) -> Result<Frame> {
    let frame = timeout(ANSWER, socket.receive()).await;
    let frame = frame.map_err(|_| anyhow::anyhow!("the server said nothing for {} s", ANSWER.as_secs()))??;
    frame.context("the server closed the connection")
}

/// Proves who this agent is; the answer is `Welcome` or why not.
pub(super) async fn greet(
    socket: &mut Socket,
    identity: &Identity,
    key: &AgentKey,
    generation: u64,
    sources: Vec<SourceDescriptor>,
) -> Result<Result<Welcome, Ended>> {
    let hello = Hello {
        agent_id: identity.agent_id,
        agent_version: VERSION.into(),
        generation,
        hostname: hostname(),
        clock_us: now_us(),
        sources,
        replaces_key: true,
    };
    socket.send(&Frame::Hello(hello)).await?;
    loop {
        match answer(socket).await? {
            Frame::Challenge(challenge) => {
                let message = proof_message(&challenge.nonce, identity.agent_id, generation);
                socket.send(&Frame::Proof(Proof { signature: key.sign(&message) })).await?;
            }
            Frame::Welcome(welcome) => return Ok(Ok(welcome)),
            Frame::Denied(denied) => return Ok(Err(Ended::Denied(denied))),
            Frame::Heartbeat | Frame::Unknown(_) => {}
            other => bail!("the server answered {other:?} to a greeting"),
        }
    }
}

/// Claims a pairing with a code.
pub async fn claim(socket: &mut Socket, key: &AgentKey, code: &str) -> Result<Result<Claimed, Denied>> {
    let public_key = key.public();
    let signature = key.sign(&pair_message(code, &public_key));
    let pair =
        Pair { code: code.to_owned(), public_key, signature, hostname: hostname(), agent_version: VERSION.into() };
    socket.send(&Frame::Pair(pair)).await?;
    loop {
        match answer(socket).await? {
            Frame::Claimed(claimed) => return Ok(Ok(claimed)),
            Frame::Denied(denied) => return Ok(Err(denied)),
            Frame::Heartbeat | Frame::Unknown(_) => {}
            other => bail!("the server answered {other:?} to a pairing"),
        }
    }
}

/// Waits for the person's decision.
pub async fn approval(socket: &mut Socket) -> Result<Result<Approved, Denied>> {
    loop {
        match socket.receive().await?.context("the server closed the connection before anyone decided")? {
            Frame::Approved(approved) => return Ok(Ok(approved)),
            Frame::Denied(denied) => return Ok(Err(denied)),
            _ => {}
        }
    }
}
