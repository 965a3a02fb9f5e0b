//! A new key in the place of an agent's own, when a person asked for one.
//!
//! Both keys open until the new one was used once. So the agent has one that is known here at every moment: before its answer
//! and while the answer is lost it comes with its own, afterwards with either, and from the first connection with the new
//! one on a copy of the old one opens nothing.

use super::Ingest;
use super::connection::is_signed;
use clarity_domain::ids::AgentId;
use clarity_runtime::secret::random_bytes;
use clarity_wire::frame::{Frame, KeyKept, NewKey, ReplaceKey, new_key_message};

/// What a connection has said of its agent's key.
pub(super) struct KeyChange {
    agent_id: AgentId,
    /// Of the agent's present connection.
    generation: u64,
    /// The public half of the key that opened it.
    key: [u8; 32],
    /// The agent's version knows how.
    able: bool,
    /// Of the question, once it was asked.
    nonce: Option<String>,
}

impl KeyChange {
    pub(super) fn new(agent_id: AgentId, generation: u64, key: [u8; 32], able: bool) -> Self {
        Self { agent_id, generation, key, able, nonce: None }
    }

    /// The question for the agent, once a connection.
    pub(super) fn question(&mut self) -> anyhow::Result<Option<Frame>> {
        if !self.able || self.nonce.is_some() {
            return Ok(None);
        }
        let nonce = hex::encode(random_bytes::<32>()?);
        self.nonce = Some(nonce.clone());
        Ok(Some(Frame::ReplaceKey(ReplaceKey { nonce })))
    }

    /// Keeps the key that the agent answered with. What to say to it; nothing where the answer is not good: its own key opens on.
    pub(super) async fn take(&self, ingest: &Ingest, answer: &NewKey) -> anyhow::Result<Option<Frame>> {
        let agent_id = self.agent_id;
        let Some(key) = self.checked(answer) else {
            tracing::warn!(%agent_id, "a new key was not asked for, or is not signed by both keys");
            return Ok(None);
        };
        if !ingest.auth.keep_next_key(agent_id, self.generation, &key).await? {
            tracing::warn!(%agent_id, "a new key was not taken");
            return Ok(None);
        }
        tracing::info!(%agent_id, "an agent has made a new key");
        Ok(Some(Frame::KeyKept(KeyKept { public_key: answer.public_key.clone() })))
    }

    /// The new key, if the agent shows that it holds both.
    fn checked(&self, answer: &NewKey) -> Option<[u8; 32]> {
        let nonce = self.nonce.as_ref()?;
        let key: [u8; 32] = hex::decode(&answer.public_key).ok()?.try_into().ok()?;
        let signed = new_key_message(nonce, self.agent_id, &answer.public_key);
        let both = is_signed(&self.key, &signed, &answer.by_own) && is_signed(&key, &signed, &answer.by_new);
        both.then_some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};
    use uuid::Uuid;

    fn answer(nonce: &str, own: &SigningKey, new: &SigningKey) -> NewKey {
        let public_key = hex::encode(new.verifying_key().to_bytes());
        let signed = new_key_message(nonce, Uuid::nil().into(), &public_key);
        let sign = |key: &SigningKey| hex::encode(key.sign(&signed).to_bytes());
        NewKey { by_own: sign(own), by_new: sign(new), public_key }
    }

    #[test]
    fn a_new_key_is_signed_by_both_for_this_question_alone() {
        let [own, new, other] = [1, 2, 3].map(|seed| SigningKey::from_bytes(&[seed; 32]));
        let mut change = KeyChange::new(Uuid::nil().into(), 1, own.verifying_key().to_bytes(), true);
        assert_eq!(change.checked(&answer("", &own, &new)), None, "nobody asked");
        let Ok(Some(Frame::ReplaceKey(question))) = change.question() else { panic!("no question") };
        assert!(matches!(change.question(), Ok(None)), "it is asked once");
        let good = answer(&question.nonce, &own, &new);
        assert_eq!(change.checked(&good), Some(new.verifying_key().to_bytes()));
        assert_eq!(change.checked(&answer("another", &own, &new)), None, "an answer of another connection");
        assert_eq!(change.checked(&answer(&question.nonce, &other, &new)), None, "not by its own key");
        let stolen = NewKey { public_key: hex::encode(other.verifying_key().to_bytes()), ..good.clone() };
        assert_eq!(change.checked(&stolen), None, "a key that it does not hold");
        assert_eq!(change.checked(&NewKey { by_new: good.by_own.clone(), ..good }), None);
    }

    #[test]
    fn an_agent_that_does_not_know_how_is_not_asked() {
        let mut change = KeyChange::new(Uuid::nil().into(), 1, [7; 32], false);
        assert!(matches!(change.question(), Ok(None)));
    }
}
