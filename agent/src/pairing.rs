//! The key that a pairing shows. It stands in a file of its own until a person has approved it: the key that is to follow
//! (`uplink/keys.rs`) was said to the platform for the agent that is paired already, and one key is never two agents'.
//!
//! Each code has its own key. With the same code it is the same: a person who tries again sees the same words, and what broke
//! after the approval goes on where it ended. With another code it is another: the one before may be an agent's by then.

use crate::identity::{AgentKey, StateDir};
use crate::spool::checkpoint::replace;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The key to show with this code, as typed.
pub fn key_for(dir: &StateDir, code: &str) -> Result<AgentKey> {
    let (kept, of) = (dir.pairing_code(), told(code));
    let same = fs::read_to_string(&kept).is_ok_and(|kept| kept == of);
    if !same {
        // The code last: while it is not written, its key was shown to nobody.
        end(dir)?;
        let key = AgentKey::read_or_make(&dir.pairing_key())?;
        replace(&kept, of.as_bytes(), true).context("cannot note which code the agent's key is for")?;
        return Ok(key);
    }
    AgentKey::read_or_make(&dir.pairing_key())
}

/// Makes the key that was approved the agent's own. One that was to follow the key before is the former agent's, and goes.
pub fn take(dir: &StateDir, key: &AgentKey) -> Result<()> {
    key.write(&dir.key())?;
    forget(&dir.next_key())
}

/// The pairing is over: another one makes another key.
pub fn end(dir: &StateDir) -> Result<()> {
    forget(&dir.pairing_code())?;
    forget(&dir.pairing_key())
}

/// Tells one code from another; hyphens and case say nothing.
fn told(code: &str) -> String {
    let signs: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    hex::encode(Sha256::digest(signs.as_bytes()))
}

fn forget(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(e).with_context(|| format!("cannot remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{HashMap, HashSet};
    use std::os::unix::fs::PermissionsExt;

    const CODES: [&str; 3] = ["K7QM-4TXR", "W2PH-9DCA", "M4XR-7KTQ"];

    #[test]
    fn a_code_has_one_key_and_another_code_another() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        let first = key_for(&state, "K7QM-4TXR").unwrap().public();
        assert_eq!(key_for(&state, "k7qm4txr").unwrap().public(), first, "tried again it is the same");
        for path in [state.pairing_key(), state.pairing_code()] {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{}", path.display());
        }
        assert!(!fs::read_to_string(state.pairing_code()).unwrap().contains("K7QM"));
        assert!(AgentKey::load(&state).is_err(), "nobody approved it yet");
        let second = key_for(&state, "W2PH-9DCA").unwrap();
        assert_ne!(second.public(), first, "the first may have been approved meanwhile");
        assert_ne!(key_for(&state, "K7QM-4TXR").unwrap().public(), first);
    }

    #[test]
    fn what_broke_after_the_approval_goes_on_and_leaves_nothing_to_the_next_one() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::new(dir.path());
        AgentKey::load_or_create(&state).unwrap();
        let said = AgentKey::next(&state).unwrap().public();
        // Approved, and broken before the key was in place: the agent of before answers with a key that is nobody's.
        let shown = key_for(&state, CODES[0]).unwrap().public();
        assert_eq!(AgentKey::next(&state).unwrap().public(), said);
        assert_ne!(said, shown);
        // With the same code it goes on, also when it breaks once more.
        for _ in 0..2 {
            let key = key_for(&state, CODES[0]).unwrap();
            assert_eq!(key.public(), shown);
            take(&state, &key).unwrap();
            assert_eq!(AgentKey::load(&state).unwrap().public(), shown);
        }
        end(&state).unwrap();
        assert!(!state.pairing_key().exists() && !state.pairing_code().exists());
        let next = AgentKey::next(&state).unwrap().public();
        assert!(next != said && next != shown, "what the former agent said is not said for this one");
        AgentKey::follow(&state, &next).unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn pairings_and_replacements_never_share_a_key(
            acts in proptest::collection::vec((0_u8..5, 0_usize..CODES.len()), 1..30)
        ) {
            let dir = tempfile::tempdir().unwrap();
            let state = StateDir::new(dir.path());
            AgentKey::load_or_create(&state).unwrap();
            let (mut said, mut shown) = (HashSet::new(), HashMap::new());
            for (act, code) in acts {
                if act < 2 {
                    let next = AgentKey::next(&state).unwrap().public();
                    said.insert(next.clone());
                    if act == 1 {
                        AgentKey::follow(&state, &next).unwrap();
                    }
                } else {
                    let key = key_for(&state, CODES[code]).unwrap();
                    prop_assert_eq!(*shown.entry(key.public()).or_insert(code), code);
                    // Broken before it is in place, after, or not at all.
                    if act > 2 {
                        take(&state, &key).unwrap();
                        prop_assert!(!state.next_key().exists());
                    }
                    if act > 3 {
                        end(&state).unwrap();
                    }
                }
                prop_assert!(said.iter().all(|key| !shown.contains_key(key)));
                AgentKey::load(&state).unwrap();
            }
        }
    }
}
