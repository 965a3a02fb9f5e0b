//! Passwords that stand in public lists of breached ones, 12 characters and longer: 1.4 million, offline.
//!
//! Of each the first four bytes of the SHA-256 of its lower-case form are kept, sorted, as differences: less than three megabytes
//! that hold no password. One in three thousand others is refused with them; its owner chooses another.
//! `crates/service/data/README.md` says whose lists they are and how the file is made.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

static FILE: &[u8] = include_bytes!("../data/known_passwords.bin");
static KNOWN: LazyLock<Vec<u32>> = LazyLock::new(|| read(FILE));

/// Whether an attacker would try this password because others have had it.
pub(crate) fn is_known(password: &str) -> bool {
    KNOWN.binary_search(&fingerprint(password)).is_ok()
}

fn fingerprint(password: &str) -> u32 {
    let hash = Sha256::digest(password.to_lowercase().as_bytes());
    hash.iter().take(4).fold(0, |sum, byte| sum << 8 | u32::from(*byte))
}

/// Differences of sorted numbers, seven bits a byte, the lowest first; the highest bit says that more follow.
fn read(file: &[u8]) -> Vec<u32> {
    let mut all = Vec::new();
    let (mut last, mut gap, mut shift) = (0_u32, 0_u32, 0_u32);
    for byte in file {
        gap |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            last = last.wrapping_add(gap);
            all.push(last);
            (gap, shift) = (0, 0);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_many_have_had_is_known_and_what_nobody_had_is_not() {
        for known in ["1q2w3e4r5t6y", "123QWEasdZXC", "password1234", "qwertyuiop123"] {
            assert!(is_known(known), "{known}");
        }
        for fine in ["four plain words here", "a long enough passphrase 7", "correct horse battery"] {
            assert!(!is_known(fine), "{fine}");
        }
    }

    #[test]
    fn the_list_is_whole_and_sorted() {
        assert!(KNOWN.len() > 1_000_000 && KNOWN.is_sorted(), "{}", KNOWN.len());
        let foreign = (0..30_000).filter(|n| is_known(&format!("nobody ever had this one {n}"))).count();
        assert!(foreign < 40, "{foreign} of 30,000 are taken for known ones");
    }
}
