//! Passwords: Argon2id with 19 MiB, two passes, one lane (OWASP's minimum), a few at a time.
//!
//! Checking against an account that does not exist costs the same as against one that does.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use clarity_domain::error::AppError;
use clarity_runtime::secret::Secret;
use tokio::sync::Semaphore;

use crate::error::broken;
use crate::known_passwords::is_known;
use crate::password_words::is_made_of;

const LEAST: usize = 12;
const MOST: usize = 256;
const PARAMETERS: Params = match Params::new(19 * 1024, 2, 1, None) {
    Ok(parameters) => parameters,
    Err(_) => Params::DEFAULT,
};

/// Hashes and checks passwords, at most so many at a time.
#[derive(Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    /// What a password is checked against when there is no account: of a password nobody knows.
    nobody: Arc<str>,
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, PARAMETERS)
}

fn hash(password: &str) -> Result<String, AppError> {
    argon2().hash_password(password.as_bytes()).map(|h: PasswordHash| h.to_string()).map_err(broken)
}

impl Passwords {
    pub(crate) fn new(concurrent: usize) -> Result<Self, AppError> {
        let random: [u8; 32] = clarity_runtime::secret::random_bytes().map_err(broken)?;
        Ok(Self { turns: Arc::new(Semaphore::new(concurrent.max(1))), nobody: hash(&hex::encode(random))?.into() })
    }

    pub(crate) async fn hash(&self, password: &Secret) -> Result<String, AppError> {
        let password = password.clone();
        self.in_turn(move || hash(password.expose())).await
    }

    /// Whether `password` is the one of `stored`; `None`: no account, which takes as long.
    pub(crate) async fn verify(&self, password: &Secret, stored: Option<String>) -> Result<bool, AppError> {
        let (password, nobody) = (password.clone(), self.nobody.clone());
        self.in_turn(move || {
            let known = stored.is_some();
            let phc = stored.as_deref().unwrap_or(&nobody);
            let parsed = PasswordHash::new(phc).map_err(|_| broken("a stored password hash cannot be read"))?;
            Ok(argon2().verify_password(password.expose().as_bytes(), &parsed).is_ok() && known)
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let _turn = self.turns.acquire().await.map_err(broken)?;
        tokio::task::spawn_blocking(work).await.map_err(broken)?
    }
}

/// What a new password must be. Length is what counts; anything may be in it.
pub(crate) fn check_new(password: &str, name: &str, email: &str) -> Result<(), AppError> {
    check_new_of_member(password, name, email, &[])
}

/// The same for somebody who is in these workspaces, or is about to be: their names are guessed as well.
pub(crate) fn check_new_of_member(
    password: &str,
    name: &str,
    email: &str,
    workspaces: &[&str],
) -> Result<(), AppError> {
    let length = password.chars().count();
    if length < LEAST {
        return Err(AppError::invalid("password", format!("Use at least {LEAST} characters. A few words are fine.")));
    }
    if length > MOST {
        return Err(AppError::invalid("password", format!("Use at most {MOST} characters.")));
    }
    let lower = password.to_lowercase();
    let one_letter = lower.chars().all(|c| lower.starts_with(c));
    let local = email.split('@').next().unwrap_or_default();
    if one_letter || lower == email || lower == name.to_lowercase() || (local.len() >= LEAST && lower == local) {
        return Err(AppError::invalid("password", "This password is easy to guess. Use another one."));
    }
    if is_made_of(password, &[&[name, email][..], workspaces].concat()) {
        let words = "This password is little more than names that others know: yours, your workspace's or ours. Use other words.";
        return Err(AppError::invalid("password", words));
    }
    if is_known(password) {
        let words =
            "This password stands in public lists of breached ones, which attackers try first. Use another one.";
        return Err(AppError::invalid("password", words));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_only() {
        let passwords = Passwords::new(1).unwrap();
        let stored = passwords.hash(&Secret::new("correct horse battery")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.verify(&Secret::new("correct horse battery"), Some(stored.clone())).await.unwrap());
        assert!(!passwords.verify(&Secret::new("correct horse batterY"), Some(stored)).await.unwrap());
        assert!(!passwords.verify(&Secret::new("correct horse battery"), None).await.unwrap());
    }

    #[test]
    fn new_passwords_are_long_and_not_the_address() {
        assert!(check_new("four plain words here", "Maja", "maja@nordmark.example").is_ok());
        assert!(check_new("größengrößen", "Maja", "maja@nordmark.example").is_ok(), "characters count, not bytes");
        for wrong in ["short", "aaaaaaaaaaaaaaaa", "Maja@Nordmark.example", "1q2w3e4r5t6y"] {
            let error = check_new(wrong, "Maja", "maja@nordmark.example").unwrap_err();
            assert_eq!(error.field.as_deref(), Some("password"), "{wrong}");
        }
        assert!(check_new(&"ab".repeat(200), "", "").is_err());
    }

    #[test]
    fn a_new_password_is_not_made_of_names_that_others_know() {
        let (name, email) = ("Maja", "maja@nordmark.example");
        for wrong in ["Clarity Stream 1", "nordmark-2026!", "Maja-maja-1234"] {
            let error = check_new(wrong, name, email).unwrap_err();
            assert!(error.message.contains("names that others know"), "{wrong}: {error:?}");
        }
        assert!(check_new("kettlewell 2026", name, email).is_ok());
        let error = check_new_of_member("kettlewell 2026", name, email, &["Works", "Kettlewell Steel"]).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("password"));
        assert!(check_new_of_member("kettlewell pours on mondays", name, email, &["Kettlewell Steel"]).is_ok());
    }

    #[tokio::test]
    async fn a_long_password_is_taken_as_it_is() {
        let long = format!(" {} ", "aB\u{df}4 ".repeat(25));
        assert!((64..=MOST).contains(&long.chars().count()));
        check_new(&long, "Maja", "maja@nordmark.example").unwrap();
        let passwords = Passwords::new(1).unwrap();
        let stored = passwords.hash(&Secret::new(long.clone())).await.unwrap();
        assert!(passwords.verify(&Secret::new(long.clone()), Some(stored.clone())).await.unwrap());
        for other in [long.trim(), &long.to_lowercase(), &long[..long.len() - 1]] {
            assert!(!passwords.verify(&Secret::new(other), Some(stored.clone())).await.unwrap());
        }
    }
}
