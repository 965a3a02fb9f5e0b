//! What somebody made and is shown after the redirect that answers their form: a pairing code, an API token, recovery codes.
//! Their browser brings it back in a cookie, and for as long as it may be shown. It is sealed: whoever reads what a browser
//! keeps learns nothing, and it opens in no session but one of the same person.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clarity_domain::error::AppError;
use clarity_domain::ids::UserId;
use clarity_domain::time::{Micros, SECOND};
use clarity_runtime::clock::now_us;

use crate::{SecretsKey, Services};

impl Services {
    /// `text` as a cookie's value that this person's browser brings back. `what` says for what use: no use opens another's.
    ///
    /// # Errors
    /// `Internal` when the operating system gives no random bytes.
    pub fn seal_to_show(
        &self,
        what: &'static str,
        user: UserId,
        text: &str,
        max_age_s: i64,
    ) -> Result<String, AppError> {
        seal(&self.settings.secrets, what, user, text, now_us().saturating_add(max_age_s.saturating_mul(SECOND)))
    }

    /// The text of a cookie, when it was sealed for this person and this use, and its time is not over.
    pub fn open_to_show(&self, what: &'static str, user: UserId, sealed: &str) -> Option<String> {
        open(&self.settings.secrets, what, user, sealed, now_us())
    }
}

fn seal(key: &SecretsKey, what: &'static str, user: UserId, text: &str, until: Micros) -> Result<String, AppError> {
    let sealed = key.seal_as(what, user.0, format!("{until}.{text}").as_bytes())?;
    Ok(URL_SAFE_NO_PAD.encode(sealed))
}

fn open(key: &SecretsKey, what: &'static str, user: UserId, sealed: &str, now: Micros) -> Option<String> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    // Anybody can send anything as a cookie: what does not open is no failure of ours.
    let plain = key.try_open_as(what, user.0, &sealed)?;
    let (until, text) = std::str::from_utf8(&plain).ok()?.split_once('.')?;
    (until.parse::<Micros>().ok()? > now).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_runtime::secret::Secret;
    use uuid::Uuid;

    const MAJA: UserId = UserId(Uuid::from_u128(1));
    const JOE: UserId = UserId(Uuid::from_u128(2));

    #[test]
    fn what_a_browser_keeps_opens_for_its_person_and_use_and_in_its_time() {
        let key = SecretsKey::from_password(&Secret::new("one"));
        let sealed = seal(&key, "a code", MAJA, "7.K7QM-4TXR", 100).unwrap();
        assert!(
            sealed.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            "a cookie's value: {sealed}"
        );
        assert_eq!(open(&key, "a code", MAJA, &sealed, 99).as_deref(), Some("7.K7QM-4TXR"));
        assert_eq!(open(&key, "a code", MAJA, &sealed, 100), None, "its time is over");
        assert_eq!(open(&key, "a code", JOE, &sealed, 99), None);
        assert_eq!(open(&key, "a token", MAJA, &sealed, 99), None);
        assert_eq!(open(&SecretsKey::from_password(&Secret::new("two")), "a code", MAJA, &sealed, 99), None);
        for other in ["", "7.K7QM-4TXR", "AAAA", &sealed[1..]] {
            assert_eq!(open(&key, "a code", MAJA, other, 99), None, "{other}");
        }
    }
}
