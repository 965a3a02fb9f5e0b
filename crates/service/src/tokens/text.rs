//! The text of a token: `cst_`, 43 characters of base64url that are 32 random bytes, `_`, and six that check what is before.
//!
//! The prefix and the check are for scanners that look through code and logs for secrets: with both they know one of ours
//! from any other text without asking us, and can report it before it is used. The check keeps nothing secret and lets
//! nobody in: a token is the one whose hash is kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clarity_domain::error::AppError;
use clarity_runtime::secret::{Secret, random_bytes};
use clarity_store::auth::api_token::TokenHash;
use sha2::{Digest, Sha256};

use crate::error::broken;

const PREFIX: &str = "cst_";
/// 32 bytes in base64 without padding.
const BODY: usize = 43;
/// 62 to the power of 6 is more than 2 to the power of 32.
const CHECK: usize = 6;
const LENGTH: usize = PREFIX.len() + BODY + 1 + CHECK;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A new token, and the hash under which it is kept.
pub(super) fn new() -> Result<(Secret, TokenHash), AppError> {
    let mut text = String::with_capacity(LENGTH);
    text.push_str(PREFIX);
    URL_SAFE_NO_PAD.encode_string(random_bytes::<32>().map_err(broken)?, &mut text);
    let check = check(&text);
    text.push('_');
    text.push_str(&check);
    let hash = hash(&text);
    Ok((Secret::new(text), hash))
}

/// The hash under which a token is kept, whatever the text is.
pub(super) fn hash(text: &str) -> TokenHash {
    Sha256::digest(text.as_bytes()).into()
}

/// Whether a text has the form of a token, with the right check: not whether there is such a token.
pub fn is_token(text: &str) -> bool {
    if text.len() != LENGTH || !text.is_ascii() || !text.starts_with(PREFIX) {
        return false;
    }
    let (before, after) = text.split_at(PREFIX.len() + BODY);
    after.strip_prefix('_').is_some_and(|found| found == check(before))
}

/// CRC-32 in base 62, as secret scanners know it from other tokens.
fn check(text: &str) -> String {
    let mut rest = crc32fast::hash(text.as_bytes());
    let mut digits = [b'0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_token_has_the_form_and_no_other_text_has_it() {
        let (token, kept) = new().unwrap();
        let text = token.expose();
        assert_eq!((text.len(), hash(text)), (LENGTH, kept));
        assert!(is_token(text), "{text}");
        assert!(
            text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'),
            "fits a header and a cookie"
        );
        assert_ne!(new().unwrap().0.expose(), text);
        let mut changed = text.to_owned();
        changed.replace_range(10..11, if &text[10..11] == "A" { "B" } else { "A" });
        for wrong in ["", "cst_", &text[1..], &format!("{text}0"), &changed, &"é".repeat(27)] {
            assert!(!is_token(wrong), "{wrong}");
        }
    }

    #[test]
    fn the_check_is_six_digits_of_the_crc() {
        assert_eq!(check(""), "000000");
        // CRC-32 of "123456789" is 0xCBF43926.
        let value = check("123456789")
            .bytes()
            .fold(0u64, |sum, digit| sum * 62 + DIGITS.iter().position(|known| *known == digit).unwrap() as u64);
        assert_eq!(value, 0xCBF4_3926);
    }
}
