//! Who this agent is: its key, what pairing gave it, and the generation that tells it from a copy.

use crate::spool::checkpoint::replace;
use anyhow::{Context, Result, bail, ensure};
use clarity_domain::fingerprint::fingerprint;
use clarity_domain::ids::AgentId;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The agent's folder and what stands where in it. All files have mode 0600, folders 0700.
#[derive(Clone, Debug)]
pub struct StateDir(PathBuf);

impl StateDir {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    pub fn create(&self) -> Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .with_context(|| format!("cannot make the folder {}", self.0.display()))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn config(&self) -> PathBuf {
        self.0.join("agent.toml")
    }

    pub fn ca(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    pub fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    pub fn spool_key(&self) -> PathBuf {
        self.0.join("spool.key")
    }

    pub fn status(&self) -> PathBuf {
        self.0.join("status.json")
    }

    /// The platform's masks, as it last said them.
    pub fn masks(&self) -> PathBuf {
        self.0.join("masks.json")
    }

    pub fn mask_key(&self) -> PathBuf {
        self.0.join("mask.key")
    }

    fn identity(&self) -> PathBuf {
        self.0.join("identity.json")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.0.join("agent.key")
    }

    /// The key that is to follow, until it does.
    pub(crate) fn next_key(&self) -> PathBuf {
        self.0.join("next.key")
    }

    /// The key that a pairing shows, until it ends; and which code it belongs to.
    pub(crate) fn pairing_key(&self) -> PathBuf {
        self.0.join("pairing.key")
    }

    pub(crate) fn pairing_code(&self) -> PathBuf {
        self.0.join("pairing.code")
    }

    fn generation(&self) -> PathBuf {
        self.0.join("generation")
    }
}

/// What pairing gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub agent_id: AgentId,
    /// `wss://host:port`.
    pub server: String,
    pub name: String,
    #[serde(default)]
    pub workspace: String,
}

impl Identity {
    /// Whether this agent was paired before.
    pub fn exists(dir: &StateDir) -> bool {
        dir.identity().exists()
    }

    pub fn load(dir: &StateDir) -> Result<Self> {
        let path = dir.identity();
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| format!("{} cannot be read", path.display())),
            Err(e) if e.kind() == ErrorKind::NotFound => {
                bail!(
                    "this agent is not paired yet; run `clarity-agent pair --server … --code …` with a code from the web app"
                )
            }
            Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    pub fn store(&self, dir: &StateDir) -> Result<()> {
        replace(&dir.identity(), &serde_json::to_vec_pretty(self)?, true).context("cannot write identity.json")
    }
}

/// The agent's signing key. Made here, never leaves this machine, shown nowhere.
#[derive(Clone)]
pub struct AgentKey(SigningKey);

impl AgentKey {
    pub fn generate() -> Result<Self> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(|e| anyhow::anyhow!("no random bytes: {e}"))?;
        Ok(Self(SigningKey::from_bytes(&seed)))
    }

    pub fn load(dir: &StateDir) -> Result<Self> {
        Self::read(&dir.key())
    }

    fn read(path: &Path) -> Result<Self> {
        let pem = fs::read_to_string(path).map(Zeroizing::new);
        let pem =
            pem.with_context(|| format!("cannot read the agent's key {}; pair the agent again", path.display()))?;
        let key = SigningKey::from_pkcs8_pem(&pem);
        Ok(Self(key.map_err(|_| anyhow::anyhow!("{} is not an Ed25519 key; pair the agent again", path.display()))?))
    }

    /// The agent's own key, or a new one, for an agent that nobody pairs: of tests and benches.
    pub fn load_or_create(dir: &StateDir) -> Result<Self> {
        Self::read_or_make(&dir.key())
    }

    /// The key that is to follow this agent's own: made once and kept beside it, so that whoever asks again, after a
    /// connection or a process that broke, is told the same.
    pub fn next(dir: &StateDir) -> Result<Self> {
        Self::read_or_make(&dir.next_key())
    }

    /// Puts the next key in the place of the agent's own, in one step: there is a key at every moment.
    ///
    /// # Errors
    /// When there is no next key, or another one than `public`; the agent's own stays.
    pub fn follow(dir: &StateDir, public: &str) -> Result<()> {
        let next = dir.next_key();
        ensure!(Self::read(&next)?.public() == public, "{} is not the key that was agreed", next.display());
        fs::rename(&next, dir.key()).context("cannot replace the agent's key")?;
        File::open(&dir.0).and_then(|folder| folder.sync_all()).context("cannot keep the agent's new key")
    }

    pub(crate) fn read_or_make(path: &Path) -> Result<Self> {
        if path.exists() {
            return Self::read(path);
        }
        let key = Self::generate()?;
        key.write(path)?;
        Ok(key)
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let pem = self.0.to_pkcs8_pem(LineEnding::LF).map_err(|e| anyhow::anyhow!("the key cannot be written: {e}"))?;
        replace(path, pem.as_bytes(), true).context("cannot write the agent's key")
    }

    /// Hexadecimal.
    pub fn public(&self) -> String {
        hex::encode(self.0.verifying_key().as_bytes())
    }

    /// Hexadecimal.
    pub fn sign(&self, message: &[u8]) -> String {
        hex::encode(self.0.sign(message).to_bytes())
    }

    /// The six words that the browser shows too.
    pub fn fingerprint(&self) -> String {
        fingerprint(&Sha256::digest(self.0.verifying_key().as_bytes()).into())
    }
}

impl std::fmt::Debug for AgentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AgentKey({})", self.fingerprint())
    }
}

/// The generation of the last `Welcome`; 0 before the first.
pub fn load_generation(dir: &StateDir) -> Result<u64> {
    let path = dir.generation();
    match fs::read_to_string(&path) {
        Ok(text) => text.trim().parse().with_context(|| format!("{} holds no number", path.display())),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(0),
        Err(e) => Err(e).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Kept before anything is sent: should this be lost, ingest would take this agent for its own copy.
pub fn store_generation(dir: &StateDir, generation: u64) -> Result<()> {
    replace(&dir.generation(), generation.to_string().as_bytes(), true).context("cannot write the generation")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signature, VerifyingKey};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path().join("agent"));
        state.create().unwrap();
        let key = AgentKey::load_or_create(&state).unwrap();
        let again = AgentKey::load_or_create(&state).unwrap();
        assert_eq!(key.public(), again.public());
        assert_eq!(key.fingerprint().split(' ').count(), 6);
        for path in [state.key(), state.path().to_owned()] {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        }
        let public: [u8; 32] = hex::decode(key.public()).unwrap().try_into().unwrap();
        let signature: [u8; 64] = hex::decode(key.sign(b"words")).unwrap().try_into().unwrap();
        let verifying = VerifyingKey::from_bytes(&public).unwrap();
        assert!(verifying.verify_strict(b"words", &Signature::from_bytes(&signature)).is_ok());
        assert!(!format!("{key:?}").contains(&hex::encode(key.0.to_bytes())));
    }

    #[test]
    fn the_next_key_is_made_once_and_takes_the_place_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let own = AgentKey::load_or_create(&state).unwrap();
        assert!(AgentKey::follow(&state, &own.public()).is_err(), "there is none to follow");
        let next = AgentKey::next(&state).unwrap();
        assert_ne!(next.public(), own.public());
        assert_eq!(AgentKey::next(&state).unwrap().public(), next.public(), "asked again it is the same");
        assert_eq!(fs::metadata(state.next_key()).unwrap().permissions().mode() & 0o077, 0);
        assert!(AgentKey::follow(&state, &own.public()).is_err(), "another one was agreed");
        assert_eq!(AgentKey::load(&state).unwrap().public(), own.public());
        AgentKey::follow(&state, &next.public()).unwrap();
        assert_eq!(AgentKey::load(&state).unwrap().public(), next.public());
        assert!(!state.next_key().exists());
        assert_ne!(AgentKey::next(&state).unwrap().public(), next.public());
    }

    #[test]
    fn the_generation_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        assert_eq!(load_generation(&state).unwrap(), 0);
        store_generation(&state, 41).unwrap();
        assert_eq!(load_generation(&state).unwrap(), 41);
        fs::write(state.generation(), "x").unwrap();
        assert!(load_generation(&state).is_err(), "unreadable is not the same as never");
    }
}
