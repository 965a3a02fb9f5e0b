//! Batch hashes: each covers the one before it, so that a batch can follow exactly one other.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256, as hexadecimal in JSON.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct BatchHash(pub [u8; 32]);

impl BatchHash {
    /// What an epoch's first batch follows.
    pub const ZERO: Self = Self([0; 32]);

    /// Hash of a batch's body alone. The agent computes it once, when it spools.
    pub fn of_body(body: &[u8]) -> [u8; 32] {
        Sha256::digest(body).into()
    }

    /// The batch's hash: of the one before it, its place and its body.
    pub fn chain(previous: Self, epoch: u32, first_seq: u64, count: u32, body_hash: &[u8; 32]) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(previous.0);
        hasher.update(epoch.to_le_bytes());
        hasher.update(first_seq.to_le_bytes());
        hasher.update(count.to_le_bytes());
        hasher.update(body_hash);
        Self(hasher.finalize().into())
    }
}

impl fmt::Debug for BatchHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0[..6]))
    }
}

impl Serialize for BatchHash {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&hex::encode(self.0))
    }
}

impl<'de> Deserialize<'de> for BatchHash {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(d)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.as_bytes(), &mut bytes).map_err(serde::de::Error::custom)?;
        Ok(Self(bytes))
    }
}
