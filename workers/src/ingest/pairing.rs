//! Pairing: an agent shows a code and a key of its own; a person approves the key's six words in the browser.

use super::Ingest;
use super::connection::{Wire, clean, denied};
use clarity_service::pairing::{self, Approval, ClaimError, ClaimRequest};
use clarity_wire::frame::{Approved, Claimed, DenyCode, Frame, Pair, pair_message};
use ed25519_dalek::{Signature, VerifyingKey};
use std::net::SocketAddr;
use std::time::Duration;

/// How often we look whether the person has decided.
const LOOK: Duration = Duration::from_millis(500);

/// Serves a connection whose first frame was `Pair`, until a person has decided or the code has expired.
pub(super) async fn serve(ingest: &Ingest, wire: &mut Wire, pair: Pair, peer: SocketAddr) -> anyhow::Result<()> {
    if ingest.codes.check_key(&peer.ip()).is_err() {
        return denied(
            wire,
            DenyCode::TooManyAttempts,
            "Too many codes were tried from this address. Wait a minute.",
            Some(60),
        )
        .await;
    }
    let Some(public_key) = holds_key(&pair) else {
        return denied(
            wire,
            DenyCode::BadProof,
            "The signature does not fit the key. Update the agent and try again.",
            None,
        )
        .await;
    };
    let request = ClaimRequest {
        code: pair.code,
        public_key,
        hostname: clean(&pair.hostname),
        agent_version: clean(&pair.agent_version).chars().take(60).collect(),
        address: peer.ip().to_string(),
    };
    let claimed = match pairing::claim(&ingest.auth, &request).await {
        Ok(claimed) => claimed,
        Err(error) => {
            let (code, message) = match error {
                ClaimError::WrongCode => (
                    DenyCode::WrongCode,
                    "This code is not right. Compare it with the Sources page; a code works once.",
                ),
                ClaimError::Expired => (
                    DenyCode::CodeExpired,
                    "This code has expired: codes live 15 minutes. Make a new one on the Sources page.",
                ),
                ClaimError::Used => {
                    (DenyCode::CodeUsed, "This code was used already. Make a new one on the Sources page.")
                }
                ClaimError::TooManyAttempts => (
                    DenyCode::TooManyAttempts,
                    "This code was tried wrongly too often and is void. Make a new one on the Sources page.",
                ),
                ClaimError::Store(error) => {
                    tracing::error!(%error, "pairing failed");
                    return denied(
                        wire,
                        DenyCode::Busy,
                        "Clarity Stream cannot answer now. Try again in a moment.",
                        Some(5),
                    )
                    .await;
                }
            };
            return denied(wire, code, message, None).await;
        }
    };
    let agent_id = claimed.agent_id;
    wire.send(&Frame::Claimed(Claimed {
        agent_id,
        fingerprint: claimed.fingerprint,
        workspace: claimed.workspace_name,
    }))
    .await?;
    loop {
        match pairing::approval(&ingest.auth, claimed.pairing_id).await {
            Ok(Approval::Approved { agent_id, name }) => {
                tracing::info!(%agent_id, "agent paired");
                return wire.send(&Frame::Approved(Approved { agent_id, name })).await;
            }
            Ok(Approval::Refused) => {
                return denied(wire, DenyCode::NotApproved, "A person refused this agent on the Sources page.", None)
                    .await;
            }
            Ok(Approval::Expired) => {
                return denied(
                    wire,
                    DenyCode::CodeExpired,
                    "Nobody approved this agent within 15 minutes. Make a new code and try again.",
                    None,
                )
                .await;
            }
            Ok(Approval::Waiting) => {}
            Err(error) => tracing::warn!(%error, "cannot look whether a pairing was approved; trying again"),
        }
        tokio::select! {
            () = ingest.shutdown.cancelled() => return denied(wire, DenyCode::Busy, "Clarity Stream restarts. Try again in a moment.", Some(5)).await,
            frame = wire.receive() => if frame?.is_none() { return Ok(()) },
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// The key, if the agent shows that it holds it.
fn holds_key(pair: &Pair) -> Option<[u8; 32]> {
    let key: [u8; 32] = hex::decode(&pair.public_key).ok()?.try_into().ok()?;
    let signature = Signature::from_slice(&hex::decode(&pair.signature).ok()?).ok()?;
    VerifyingKey::from_bytes(&key).ok()?.verify_strict(&pair_message(&pair.code, &pair.public_key), &signature).ok()?;
    Some(key)
}
