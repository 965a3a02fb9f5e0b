//! Passwords: Argon2id with 19 MiB, two passes, one lane (OWASP's minimum), a few at a time, and a bounded number that waits.
//!
//! Checking against an account that does not exist costs the same as against one that does.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_runtime::secret::Secret;
use tokio::sync::Semaphore;

use crate::error::broken;
use crate::known_passwords::is_known;
use crate::password_words::is_made_of;

const LEAST: usize = 12;
const MOST: usize = 256;
/// That wait for their turn. Whoever comes then is told to come again: a queue without end answers nobody.
const WAITING: usize = 64;
const PARAMETERS: Params = match Params::new(19 * 1024, 2, 1, None) {
    Ok(parameters) => parameters,
    Err(_) => Params::DEFAULT,
};

/// Hashes and checks passwords, at most so many at a time.
#[derive(Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    /// Of those that have their turn and those that wait for it.
    places: Arc<Semaphore>,
    /// What a password is checked against when there is no account: of a password nobody knows.
    nobody: Arc<str>,
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, PARAMETERS)
}

fn hash(password: &str) -> Result<String, AppError> {
    argon2().hash_password(password.as_bytes()).map(|h: PasswordHash| h.to_string()).map_err(broken)
}

/// Whether this is not how a password is hashed today: another function, version or cost. Its owner signs in as ever, and it is
/// hashed anew then, when the password is known for a moment.
pub(crate) fn is_outdated(stored: &str) -> bool {
    let Ok(hash) = PasswordHash::new(stored) else { return false };
    let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    hash.algorithm.as_str() != Algorithm::Argon2id.as_str()
        || hash.version != Some(Version::V0x13.into())
        || !Params::try_from(&hash).is_ok_and(|params| cost(&params) == cost(&PARAMETERS))
}

/// A short secret of this person, as dear to try as a password. Always the same for both, so that it can be looked for: the salt
/// is the person's id, of which 74 bits are random.
fn stretch(of: UserId, text: &str) -> Result<[u8; 32], AppError> {
    let mut stretched = [0; 32];
    argon2().hash_password_into(text.as_bytes(), of.0.as_bytes(), &mut stretched).map_err(broken)?;
    Ok(stretched)
}

impl Passwords {
    pub(crate) fn new(concurrent: usize) -> Result<Self, AppError> {
        let random: [u8; 32] = clarity_runtime::secret::random_bytes().map_err(broken)?;
        let concurrent = concurrent.max(1);
        Ok(Self {
            turns: Arc::new(Semaphore::new(concurrent)),
            places: Arc::new(Semaphore::new(concurrent + WAITING)),
            nobody: hash(&hex::encode(random))?.into(),
        })
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

    /// Of each of these secrets what stands for it: see [`stretch`].
    pub(crate) async fn stretch(&self, of: UserId, texts: Vec<String>) -> Result<Vec<[u8; 32]>, AppError> {
        self.in_turn(move || texts.iter().map(|text| stretch(of, text)).collect()).await
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let place = self.places.clone().try_acquire_owned().map_err(|_| busy())?;
        let turn = self.turns.clone().acquire_owned().await.map_err(broken)?;
        let work = move || {
            let done = work();
            // Here and not with whoever waits: one who goes away meanwhile does not stop the work.
            drop((turn, place));
            done
        };
        tokio::task::spawn_blocking(work).await.map_err(broken)?
    }
}

fn busy() -> AppError {
    AppError::new(ErrorCode::Unavailable, "Too many sign-ins at the moment. Try again in a few seconds.")
}

/// What a new password must be. Length is what counts; anything may be in it, but it is not made of names that
/// others know.
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
    if one_letter {
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

    #[tokio::test]
    async fn a_hash_of_other_parameters_opens_and_is_outdated() {
        let passwords = Passwords::new(1).unwrap();
        let today = passwords.hash(&Secret::new("correct horse battery")).await.unwrap();
        assert!(!is_outdated(&today));
        let of = |algorithm: Algorithm, version: Version, memory: u32, passes: u32| {
            let other = Argon2::new(algorithm, version, Params::new(memory, passes, 1, None).unwrap());
            other.hash_password(b"correct horse battery").map(|hash: PasswordHash| hash.to_string()).unwrap()
        };
        for old in [
            of(Algorithm::Argon2id, Version::V0x13, 8 * 1024, 2),
            of(Algorithm::Argon2id, Version::V0x13, 19 * 1024, 1),
            of(Algorithm::Argon2id, Version::V0x10, 19 * 1024, 2),
            of(Algorithm::Argon2i, Version::V0x13, 19 * 1024, 2),
        ] {
            assert!(is_outdated(&old), "{old}");
            assert!(passwords.verify(&Secret::new("correct horse battery"), Some(old.clone())).await.unwrap(), "{old}");
            assert!(!passwords.verify(&Secret::new("another horse"), Some(old)).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_short_secret_is_hashed_as_slowly_as_a_password_with_the_salt_of_its_person() {
        let passwords = Passwords::new(1).unwrap();
        let (maja, joe) = (UserId(uuid::Uuid::now_v7()), UserId(uuid::Uuid::now_v7()));
        let of = async |user: UserId, text: &str| passwords.stretch(user, vec![text.to_owned()]).await.unwrap()[0];
        let stands = of(maja, "ABCDEFGHJK").await;
        assert_eq!(of(maja, "ABCDEFGHJK").await, stands, "it can be looked for");
        assert_ne!(of(joe, "ABCDEFGHJK").await, stands);
        assert_ne!(of(maja, "ABCDEFGHJL").await, stands);
        // What a password's hash is made with.
        let mut slow = [0; 32];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, None).unwrap());
        argon2.hash_password_into(b"ABCDEFGHJK", maja.0.as_bytes(), &mut slow).unwrap();
        assert_eq!(stands, slow);
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
    async fn so_many_at_a_time_so_many_wait_and_one_more_is_told_to_come_again() {
        use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
        let passwords = Passwords::new(2).unwrap();
        let (open, now, most) =
            (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..2 + WAITING)
            .map(|_| {
                let (passwords, open, now, most) = (passwords.clone(), open.clone(), now.clone(), most.clone());
                tokio::spawn(async move {
                    let work = move || {
                        most.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
                        while !open.load(SeqCst) {
                            std::thread::sleep(std::time::Duration::from_millis(1));
                        }
                        now.fetch_sub(1, SeqCst);
                        Ok(())
                    };
                    passwords.in_turn(work).await
                })
            })
            .collect();
        while passwords.places.available_permits() > 0 || now.load(SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
        let late = passwords.in_turn(|| Ok(())).await.unwrap_err();
        assert_eq!(late.code, ErrorCode::Unavailable);
        // Whoever goes away while it waits gives its place back. Whoever goes away while it has its turn does not: the work goes on.
        tasks[0].abort();
        tasks[WAITING].abort();
        while passwords.places.available_permits() == 0 {
            tokio::task::yield_now().await;
        }
        open.store(true, SeqCst);
        for (number, task) in tasks.into_iter().enumerate() {
            assert!([0, WAITING].contains(&number) || task.await.unwrap().is_ok());
        }
        assert_eq!(most.load(SeqCst), 2);
        passwords.in_turn(|| Ok(())).await.unwrap();
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
