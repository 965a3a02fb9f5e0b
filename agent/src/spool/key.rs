//! The spool's key: protects copies of the disk (a backup, a discarded drive, a snapshot) that lack the key file. Whoever
//! can read the agent's whole folder can read the spool.

use super::SpoolError;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Opens and seals records. Cheap to clone, shown nowhere.
#[derive(Clone)]
pub struct SpoolKey(pub(super) Arc<XChaCha20Poly1305>);

impl SpoolKey {
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(Arc::new(XChaCha20Poly1305::new(bytes.into())))
    }

    /// Reads the key file, or makes it with mode 0600 where there is none.
    pub fn load_or_create(path: &Path) -> Result<Self, SpoolError> {
        let fail = |source| SpoolError::Io { path: path.to_owned(), source };
        let mut bytes = Zeroizing::new([0_u8; 32]);
        match File::open(path) {
            Ok(mut file) => {
                file.read_exact(bytes.as_mut()).map_err(|_| {
                    fail(io::Error::other(
                        "the spool's key is cut short; restore it, or remove it and the spool folder",
                    ))
                })?;
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                getrandom::fill(bytes.as_mut()).map_err(|e| fail(io::Error::other(e.to_string())))?;
                let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(fail)?;
                file.write_all(bytes.as_ref()).and_then(|()| file.sync_all()).map_err(fail)?;
                if let Some(folder) = path.parent() {
                    File::open(folder).and_then(|f| f.sync_all()).map_err(fail)?;
                }
            }
            Err(e) => return Err(fail(e)),
        }
        Ok(Self::from_bytes(&bytes))
    }
}

impl std::fmt::Debug for SpoolKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SpoolKey(…)")
    }
}
