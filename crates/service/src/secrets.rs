//! The installation's key: seals what the database keeps and has to be read again, and keys the hashes of what is short.
//!
//! It comes from the environment and is nowhere in the database, so a copy of the database alone opens nothing. What is sealed
//! is bound to its person: moved to somebody else's row, it cannot be opened.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use clarity_domain::error::AppError;
use clarity_domain::ids::{UserId, WorkspaceId};
use clarity_domain::masking::MaskKey;
use clarity_runtime::secret::{Secret, random_bytes};
use sha2::{Digest, Sha256};
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::error::broken;

const NONCE: usize = 24;

/// 32 bytes. Shown nowhere.
#[derive(Clone)]
pub struct SecretsKey(Zeroizing<[u8; 32]>);

/// What is given as a key is none.
#[derive(Debug, thiserror::Error)]
#[error("it has to be 32 bytes in base64, as `openssl rand -base64 32` makes them")]
pub struct SecretsKeyError;

impl SecretsKey {
    /// # Errors
    /// When the text is not base64 of 32 bytes.
    pub fn from_base64(text: &Secret) -> Result<Self, SecretsKeyError> {
        let bytes = Zeroizing::new(STANDARD.decode(text.expose().trim()).map_err(|_| SecretsKeyError)?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(|_| SecretsKeyError)?;
        Ok(Self(Zeroizing::new(key)))
    }

    /// For an installation on one machine that was given no key: always the same one for this password.
    pub fn from_password(password: &Secret) -> Self {
        let key =
            Sha256::new().chain_update(b"clarity secrets key").chain_update(password.expose().as_bytes()).finalize();
        Self(Zeroizing::new(key.into()))
    }

    /// For commands that seal and open nothing.
    ///
    /// # Errors
    /// When the operating system gives no random bytes.
    pub fn random() -> Result<Self, AppError> {
        random_bytes().map(|key| Self(Zeroizing::new(key))).map_err(broken)
    }

    /// Sealed for this person: nonce, then what is sealed with its tag.
    pub(crate) fn seal(&self, user: UserId, plain: &[u8]) -> Result<Vec<u8>, AppError> {
        self.seal_bound(user.0.as_bytes(), plain)
    }

    /// Sealed for what is no person: `what` says for what use, so that no two uses open each other's.
    pub(crate) fn seal_as(&self, what: &'static str, of: Uuid, plain: &[u8]) -> Result<Vec<u8>, AppError> {
        self.seal_bound(&[what.as_bytes(), of.as_bytes().as_slice()].concat(), plain)
    }

    /// # Errors
    /// As [`Self::open`].
    pub(crate) fn open_as(&self, what: &'static str, of: Uuid, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AppError> {
        self.open_bound(&[what.as_bytes(), of.as_bytes().as_slice()].concat(), sealed)
    }

    /// What a stranger may have sent: nothing for what cannot be opened, and no word of it in the log.
    pub(crate) fn try_open_as(&self, what: &'static str, of: Uuid, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.opened(&[what.as_bytes(), of.as_bytes().as_slice()].concat(), sealed)
    }

    fn seal_bound(&self, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, AppError> {
        let nonce = random_bytes::<NONCE>().map_err(broken)?;
        let payload = Payload { msg: plain, aad };
        let sealed = self.cipher().encrypt(&nonce.into(), payload).map_err(broken)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// # Errors
    /// `Internal` for what was sealed under another key, for somebody else, or was changed.
    pub(crate) fn open(&self, user: UserId, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AppError> {
        self.open_bound(user.0.as_bytes(), sealed)
    }

    fn open_bound(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, AppError> {
        self.opened(aad, sealed).ok_or_else(|| {
            broken("what is sealed cannot be opened: CLARITY_SECRETS_KEY is not the one it was sealed with")
        })
    }

    fn opened(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload { msg: sealed, aad };
        self.cipher().decrypt(&(*nonce).into(), payload).ok().map(Zeroizing::new)
    }

    /// Of what stands for a short secret of this person, to compare with. Its parts have fixed lengths, so no two mean the same
    /// bytes.
    pub(crate) fn hash(&self, user: UserId, secret: &[u8]) -> [u8; 32] {
        let hash = Sha256::new().chain_update(self.part(b"clarity recovery codes").as_slice());
        hash.chain_update(user.0.as_bytes()).chain_update(secret).finalize().into()
    }

    /// Of an address that nobody has, to count attempts by.
    pub(crate) fn address_hash(&self, email: &str) -> [u8; 32] {
        let hash = Sha256::new().chain_update(self.part(b"clarity addresses").as_slice());
        hash.chain_update(email.as_bytes()).finalize().into()
    }

    /// Of the hashes that stand for masked values of this workspace: another's never join with them.
    pub(crate) fn mask_key(&self, workspace: WorkspaceId) -> MaskKey {
        let hash = Sha256::new().chain_update(self.part(b"clarity masked values").as_slice());
        MaskKey::new(hash.chain_update(workspace.0.as_bytes()).finalize().into())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let key: [u8; 32] = *self.part(b"clarity sealed secrets");
        XChaCha20Poly1305::new(&key.into())
    }

    /// A key of its own for each use.
    fn part(&self, of: &[u8]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(Sha256::new().chain_update(of).chain_update(self.0.as_slice()).finalize().into())
    }
}

impl std::fmt::Debug for SecretsKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretsKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> SecretsKey {
        SecretsKey::from_base64(&Secret::new(STANDARD.encode([byte; 32]))).unwrap()
    }

    const MAJA: UserId = UserId(Uuid::from_u128(1));
    const JOE: UserId = UserId(Uuid::from_u128(2));

    #[test]
    fn what_is_sealed_is_opened_with_its_key_for_its_person_alone() {
        let sealed = key(1).seal(MAJA, b"twenty bytes of it").unwrap();
        assert_eq!(key(1).open(MAJA, &sealed).unwrap().as_slice(), b"twenty bytes of it");
        assert_ne!(key(1).seal(MAJA, b"twenty bytes of it").unwrap(), sealed, "never twice the same");
        assert!(!sealed.windows(6).any(|part| part == b"twenty"));
        assert!(key(2).open(MAJA, &sealed).is_err() && key(1).open(JOE, &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key(1).open(MAJA, &changed).is_err(), "byte {at}");
        }
        assert!(key(1).open(MAJA, b"short").is_err());
        // What is sealed for one use is no other use's, and no person's.
        let of_use = key(1).seal_as("sso secret", MAJA.0, b"a secret").unwrap();
        assert_eq!(key(1).open_as("sso secret", MAJA.0, &of_use).unwrap().as_slice(), b"a secret");
        assert!(key(1).open_as("sso verifier", MAJA.0, &of_use).is_err() && key(1).open(MAJA, &of_use).is_err());
    }

    #[test]
    fn a_hash_is_the_keys_and_the_persons() {
        assert_eq!(key(1).hash(MAJA, b"ABCDEFGHJK"), key(1).hash(MAJA, b"ABCDEFGHJK"));
        for other in
            [key(2).hash(MAJA, b"ABCDEFGHJK"), key(1).hash(JOE, b"ABCDEFGHJK"), key(1).hash(MAJA, b"ABCDEFGHJL")]
        {
            assert_ne!(key(1).hash(MAJA, b"ABCDEFGHJK"), other);
        }
    }

    #[test]
    fn a_key_is_32_bytes_in_base64_and_shows_nothing() {
        for wrong in ["", "x", "AAAA", &STANDARD.encode([7; 31]), &STANDARD.encode([7; 33]), &"ü".repeat(43)] {
            assert!(SecretsKey::from_base64(&Secret::new(wrong)).is_err(), "{wrong}");
        }
        assert_eq!(format!("{:?}", key(7)), "SecretsKey(…)");
        let of = |password: &str| SecretsKey::from_password(&Secret::new(password)).hash(MAJA, b"A");
        assert_eq!(of("one"), of("one"));
        assert_ne!(of("one"), of("two"));
    }
}
