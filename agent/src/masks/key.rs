//! The key of hashes. Made on this machine at the first mask and never sent: whoever holds the platform's database cannot
//! try values against what stands there.

use anyhow::{Context, Result};
use clarity_domain::masking::MaskKey;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// HMAC-SHA-256 under the agent's key. Cheap to clone, shown nowhere.
#[derive(Clone)]
pub struct Hasher(Arc<Hmac<Sha256>>);

impl Hasher {
    /// # Errors
    /// Never in fact: this hash takes keys of every length.
    pub fn new(key: &MaskKey) -> Result<Self> {
        let keyed = Hmac::<Sha256>::new_from_slice(key.as_bytes());
        Ok(Self(Arc::new(keyed.map_err(|_| anyhow::anyhow!("the masks' key has a wrong length"))?)))
    }

    /// Reads the key file, or makes it with mode 0600 where there is none.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        match File::open(path) {
            Ok(mut file) => file.read_exact(bytes.as_mut()).with_context(|| {
                format!(
                    "{} is cut short; restore it, or remove it: then equal values have other hashes than before",
                    path.display()
                )
            })?,
            Err(e) if e.kind() == ErrorKind::NotFound => {
                getrandom::fill(bytes.as_mut()).map_err(|e| anyhow::anyhow!("no random bytes: {e}"))?;
                make(path, bytes.as_ref()).with_context(|| format!("cannot write {}", path.display()))?;
            }
            Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
        }
        Self::new(&MaskKey::new(*bytes))
    }

    pub fn hash(&self, value: &[u8]) -> [u8; 32] {
        Hmac::<Sha256>::clone(&self.0).chain_update(value).finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher(…)")
    }
}

fn make(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes).and_then(|()| file.sync_all())?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_hash_is_hmac_sha_256() {
        // RFC 4231, test case 1, with its key filled up to the block as HMAC itself does.
        let mut key = [0; 32];
        key[..20].fill(0x0b);
        let hasher = Hasher::new(&MaskKey::new(key)).unwrap();
        assert_eq!(
            hex::encode(hasher.hash(b"Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        );
    }

    #[test]
    fn the_key_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mask.key");
        let made = Hasher::load_or_create(&path).unwrap();
        let again = Hasher::load_or_create(&path).unwrap();
        assert_eq!(made.hash(b"Maja"), again.hash(b"Maja"));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let key = hex::encode(std::fs::read(&path).unwrap());
        assert!(!format!("{made:?}").contains(&key[..8]));
        std::fs::write(&path, "short").unwrap();
        assert!(Hasher::load_or_create(&path).is_err(), "never a new key in place of a damaged one");
    }
}
