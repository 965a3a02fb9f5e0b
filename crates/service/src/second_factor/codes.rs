//! Recovery codes: ten, of ten characters each, for the day when the app is lost. Each works once.
//!
//! They have 50 bits: at the throttle's seventy guesses an hour one of ten is found in about 10^8 years, and their hashes are as
//! slow as a password's and keyed with what is not in the database, so a copy of it gives nothing to try them on.

use clarity_domain::error::AppError;
use clarity_runtime::secret::random_bytes;

use crate::error::broken;

pub(super) const COUNT: usize = 10;
const LENGTH: usize = 10;
/// No 0 O 1 I: what is copied by hand stays what it was. 32 of them, so that a byte's lowest five bits are one.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";

/// New ones, as they are shown.
pub(super) fn make() -> Result<Vec<String>, AppError> {
    (0..COUNT).map(|_| one()).collect()
}

fn one() -> Result<String, AppError> {
    let bytes = random_bytes::<LENGTH>().map_err(broken)?;
    let code: String = bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
    Ok(format!("{}-{}", &code[..LENGTH / 2], &code[LENGTH / 2..]))
}

/// A code as people type it, as it is hashed.
pub(super) fn read(text: &str) -> Option<String> {
    let typed = text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(LENGTH + 1);
    let code: String = typed.map(|c| c.to_ascii_uppercase()).collect();
    let fine = code.len() == LENGTH && code.bytes().all(|b| ALPHABET.contains(&b));
    fine.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_as_they_are_shown_and_as_people_type_them() {
        let codes = make().unwrap();
        assert_eq!(codes.len(), COUNT);
        for code in &codes {
            let plain = code.replace('-', "");
            assert_eq!(read(code).as_deref(), Some(plain.as_str()));
            assert_eq!(read(&format!(" {} ", code.to_lowercase())), Some(plain));
        }
        for wrong in ["", "ABCDE-FGHJ", "ABCDE-FGHJKL", "ABCDE-FGHJ0", "ABCDE-FGHJÉ", "123456"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn they_use_the_whole_alphabet_and_never_repeat() {
        let mut all: Vec<String> = (0..60).flat_map(|_| make().unwrap()).collect();
        let mut seen: Vec<u8> = all.iter().flat_map(|code| code.bytes()).filter(|b| *b != b'-').collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen, ALPHABET);
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 60 * COUNT);
    }
}
