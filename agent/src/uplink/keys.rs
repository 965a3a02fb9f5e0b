//! A new key for this agent, when a person asked for one on the platform.
//!
//! It is kept on disk before it is said, and takes the place of the agent's own only when the platform has said that it knows
//! it. Until it was used there, either one opens: whatever breaks in between, this agent has a key that is known.

use crate::identity::{AgentKey, StateDir};
use anyhow::Result;
use clarity_domain::ids::AgentId;
use clarity_wire::frame::{NewKey, ReplaceKey, new_key_message};

/// Says the next key, signed by the one that this agent has and by itself. Blocks on the disk.
///
/// # Errors
/// When the key cannot be kept; the agent's own stays.
pub(super) fn answer(dir: &StateDir, own: &AgentKey, agent_id: AgentId, question: &ReplaceKey) -> Result<NewKey> {
    let next = AgentKey::next(dir)?;
    let public_key = next.public();
    let signed = new_key_message(&question.nonce, agent_id, &public_key);
    Ok(NewKey { by_own: own.sign(&signed), by_new: next.sign(&signed), public_key })
}
