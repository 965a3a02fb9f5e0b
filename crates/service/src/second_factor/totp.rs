//! Codes of an authenticator app: RFC 6238 with what every app can do, six digits, SHA-1, thirty seconds.
//!
//! A code is known by the step it belongs to, so that each step is taken once. The app's clock may be one step off.

use clarity_domain::time::{Micros, SECOND};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

const STEP: Micros = 30 * SECOND;
const DIGITS: usize = 6;

/// The code of a step.
fn code_at(secret: &[u8], step: i64) -> Option<u32> {
    let mac = Hmac::<Sha1>::new_from_slice(secret).ok()?.chain_update(step.to_be_bytes()).finalize().into_bytes();
    let at = usize::from(mac.last()? & 15);
    let four: [u8; 4] = mac.get(at..at + 4)?.try_into().ok()?;
    Some((u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000)
}

/// The step whose code this is: the one of `now`, or one beside it.
pub(super) fn find_step(secret: &[u8], code: u32, now: Micros) -> Option<i64> {
    let here = now.div_euclid(STEP);
    [here, here - 1, here + 1].into_iter().find(|step| code_at(secret, *step) == Some(code))
}

/// A code as people type it: six digits, with blanks where they like.
pub(super) fn read_code(text: &str) -> Option<u32> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).take(DIGITS + 1).collect();
    let fine = digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    if fine { digits.parse().ok() } else { None }
}

/// What an app reads out of the picture.
pub(super) fn address(issuer: &str, account: &str, base32: &str) -> String {
    let (issuer, account) = (escape(issuer), escape(account));
    format!("otpauth://totp/{issuer}:{account}?secret={base32}&issuer={issuer}&algorithm=SHA1&digits=6&period=30")
}

/// Percent-encodes all but unreserved characters.
fn escape(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    /// Appendix B of RFC 6238, its last six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        for (second, code) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(code_at(SECRET, second / 30), Some(code), "{second}");
        }
    }

    #[test]
    fn a_clock_may_be_one_step_off_and_no_more() {
        let now = 1_234_567_890 * SECOND;
        let here = now / STEP;
        for (step, found) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let code = code_at(SECRET, here + step).unwrap();
            assert_eq!(find_step(SECRET, code, now), found.then_some(here + step), "{step}");
        }
    }

    #[test]
    fn codes_are_read_as_people_type_them() {
        for typed in ["005924", "005 924", " 0 0 5 9 2 4 "] {
            assert_eq!(read_code(typed), Some(5_924), "{typed}");
        }
        for wrong in ["", "5924", "0059244", "00592a", "-05924", "+05924", "００５９２４"] {
            assert_eq!(read_code(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_address_holds_whatever_the_account_is_called() {
        assert_eq!(
            address("Clarity Stream", "a&b@n.example", "ABC"),
            "otpauth://totp/Clarity%20Stream:a%26b%40n.example?secret=ABC&issuer=Clarity%20Stream&algorithm=SHA1&digits=6&period=30"
        );
    }
}
