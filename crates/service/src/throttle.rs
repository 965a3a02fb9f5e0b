//! Slowing down guesses: by account with growing waits, by network with a rate. And what is asked for often: letters, files,
//! searches, requests of a token and of a workspace.
//!
//! An account is never locked for good: that would let anybody lock anybody out. Addresses without an account wait the
//! same, so that waiting tells nothing: see `Services::note_attempt`.

use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{ApiTokenId, UserId, WorkspaceId};
use clarity_domain::time::{Micros, SECOND};
use governor::clock::Clock;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use sha2::{Digest, Sha256};

use crate::settings::Limits;

/// Wrong passwords before an account has to wait.
const FREE: i32 = 5;
/// The longest wait: about 70 guesses an hour.
const LONGEST: Micros = 60 * SECOND;
/// Keys of one kind that are remembered at a time, before those that are free again are forgotten.
const REMEMBERED: usize = 10_000;

/// Until when an account waits that has now failed `failures` times in a row: 1 s, 2 s, 4 s … 60 s from the fifth on.
pub(crate) fn blocked_until(failures: i32, now: Micros) -> Option<Micros> {
    let over = failures.checked_sub(FREE).filter(|n| *n >= 0)?;
    let wait = 1_i64.checked_shl(over.min(30) as u32).unwrap_or(i64::MAX).saturating_mul(SECOND).min(LONGEST);
    Some(now.saturating_add(wait))
}

pub(crate) fn wait(until: Micros, now: Micros) -> AppError {
    let seconds = ((until - now + SECOND - 1) / SECOND).max(1);
    let unit = if seconds == 1 { "second" } else { "seconds" };
    tracing::warn!(seconds, "an attempt has to wait");
    AppError::new(ErrorCode::RateLimited, format!("Too many attempts. Try again in {seconds} {unit}."))
}

/// Refusals of one person that the audit log takes.
const REFUSALS_A_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);

/// What a signed-in person may do often, and not without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Costly {
    Search,
    Export,
    Workspace,
}

/// Searches of one person: the palette asks at each key, and nobody types faster.
const SEARCHES_A_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(239);
/// Files of one person, of the log or of all: each reads everything.
const EXPORTS_AN_HOUR: NonZeroU32 = NonZeroU32::MIN.saturating_add(29);
/// New workspaces of one person at once; then one every two hours.
const WORKSPACES: NonZeroU32 = NonZeroU32::MIN.saturating_add(11);
const WORKSPACE_EVERY: Duration = Duration::from_secs(2 * 3_600);

impl Costly {
    fn words(self) -> &'static str {
        match self {
            Self::Search => "You search faster than there are answers. Wait a moment, then go on.",
            Self::Export => "You have taken 30 files within an hour. The next one is possible in a few minutes.",
            Self::Workspace => "You have made 12 workspaces in a short time. Make the next one in two hours.",
        }
    }
}

/// Letters of one kind that an address gets at once; then one every twelve minutes.
const LETTERS: NonZeroU32 = NonZeroU32::MIN.saturating_add(4);
const LETTER_EVERY: Duration = Duration::from_secs(12 * 60);

/// Seconds of a workspace's requests that may come at once.
const AT_ONCE: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

#[derive(Clone)]
pub(crate) struct Throttle {
    networks: Arc<DefaultKeyedRateLimiter<String>>,
    refusals: Arc<DefaultKeyedRateLimiter<UserId>>,
    letters: Arc<DefaultKeyedRateLimiter<[u8; 32]>>,
    requests: Arc<DefaultKeyedRateLimiter<ApiTokenId>>,
    searches: Arc<DefaultKeyedRateLimiter<UserId>>,
    exports: Arc<DefaultKeyedRateLimiter<UserId>>,
    workspaces: Arc<DefaultKeyedRateLimiter<UserId>>,
    tenants: Arc<DefaultKeyedRateLimiter<WorkspaceId>>,
}

impl Throttle {
    pub(crate) fn new(limits: &Limits) -> Self {
        let workspaces =
            Quota::with_period(WORKSPACE_EVERY).unwrap_or_else(|| Quota::per_hour(WORKSPACES)).allow_burst(WORKSPACES);
        let letters = Quota::with_period(LETTER_EVERY).unwrap_or_else(|| Quota::per_hour(LETTERS)).allow_burst(LETTERS);
        let of_one_tenant = limits.workspace_requests_per_second;
        let tenants = Quota::per_second(of_one_tenant).allow_burst(of_one_tenant.saturating_mul(AT_ONCE));
        Self {
            networks: Arc::new(RateLimiter::keyed(Quota::per_minute(limits.attempts_per_minute))),
            refusals: Arc::new(RateLimiter::keyed(Quota::per_minute(REFUSALS_A_MINUTE))),
            letters: Arc::new(RateLimiter::keyed(letters)),
            requests: Arc::new(RateLimiter::keyed(Quota::per_minute(limits.api_requests_per_minute))),
            searches: Arc::new(RateLimiter::keyed(Quota::per_minute(SEARCHES_A_MINUTE))),
            exports: Arc::new(RateLimiter::keyed(Quota::per_hour(EXPORTS_AN_HOUR))),
            workspaces: Arc::new(RateLimiter::keyed(workspaces)),
            tenants: Arc::new(RateLimiter::keyed(tenants)),
        }
    }

    /// Whether one more refusal of this person is written down: nobody may fill the log by asking.
    pub(crate) fn note_refusal(&self, user: UserId) -> bool {
        forget(&self.refusals);
        self.refusals.check_key(&user).is_ok()
    }

    /// Takes one of what this person may do so often.
    pub(crate) fn take_of(&self, user: UserId, what: Costly) -> Result<(), AppError> {
        let limiter = match what {
            Costly::Search => &self.searches,
            Costly::Export => &self.exports,
            Costly::Workspace => &self.workspaces,
        };
        forget(limiter);
        limiter.check_key(&user).map_err(|_| AppError::new(ErrorCode::RateLimited, what.words()))
    }

    /// Whether one more letter that anybody may ask for is sent to this address: nobody's mailbox is filled by asking.
    pub(crate) fn note_letter(&self, email: &str) -> bool {
        forget(&self.letters);
        self.letters.check_key(&Sha256::digest(email.as_bytes()).into()).is_ok()
    }

    /// Takes one change of address from the person's, and one letter from those of the new address. What is said depends on
    /// how often was asked and not on who has the address. The old one is written to in any case.
    pub(crate) fn take_email_change(&self, user: UserId, email: &str) -> Result<(), AppError> {
        // No address is written like this.
        if self.note_letter(&format!("changes of {user}")) && self.note_letter(email) {
            return Ok(());
        }
        Err(AppError::new(
            ErrorCode::RateLimited,
            "Too many letters of this kind were asked for. Try again in a quarter of an hour.",
        ))
    }

    /// Takes one request of the API from a token's minute; else, after how long there is one again.
    pub(crate) fn note_request(&self, token: ApiTokenId) -> Result<(), Duration> {
        forget(&self.requests);
        let now = self.requests.clock().now();
        self.requests.check_key(&token).map_err(|until| until.wait_time_from(now))
    }

    /// Takes one request from a workspace's second.
    pub(crate) fn take_of_workspace(&self, workspace: WorkspaceId) -> Result<(), AppError> {
        forget(&self.tenants);
        let now = self.tenants.clock().now();
        self.tenants.check_key(&workspace).map_err(|until| {
            AppError::new(
                ErrorCode::RateLimited,
                "This workspace is asked for more pages and answers than it may have in a second. Wait a moment, then go on.",
            )
            .retry_after(until.wait_time_from(now).as_secs() + 1)
        })
    }

    /// Takes one attempt from the network of `address`.
    pub(crate) fn take(&self, address: &str) -> Result<(), AppError> {
        forget(&self.networks);
        self.networks.check_key(&network(address)).map_err(|_| {
            // As often as a network may try: it fills no log either.
            if self.networks.check_key(&format!("told {}", network(address))).is_ok() {
                tracing::warn!(network = network(address), "too many attempts from a network");
            }
            AppError::new(ErrorCode::RateLimited, "Too many attempts from your network. Try again in a minute.")
        })
    }

    /// Takes one request with a wrong API token from the network of `address`. Not from its sign-ins: a forgotten program
    /// with an old token must not lock its colleagues out.
    pub(crate) fn take_bearer(&self, address: &str) -> Result<(), AppError> {
        forget(&self.networks);
        self.networks.check_key(&format!("bearer {}", network(address))).map_err(|_| {
            AppError::new(
                ErrorCode::RateLimited,
                "Too many requests without a valid API token from your network. Try again in a minute.",
            )
        })
    }
}

/// Once many are remembered, those whom nothing holds back any more are not.
fn forget<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>) {
    if limiter.len() > REMEMBERED {
        limiter.retain_recent();
    }
}

/// IPv4 /24, IPv6 /56; what is no address counts as one network.
pub(crate) fn network(address: &str) -> String {
    match address.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}")
        }
        Ok(IpAddr::V6(ip)) => hex::encode(&ip.octets()[..7]),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_never_exceed_a_minute() {
        let waits: Vec<i64> = (0..14).map(|n| blocked_until(n, 0).unwrap_or(0) / SECOND).collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(blocked_until(i32::MAX, 0), Some(LONGEST));
    }

    #[test]
    fn neighbours_share_a_network() {
        assert_eq!(network("192.0.2.7"), network("::ffff:192.0.2.9"));
        assert_ne!(network("192.0.2.7"), network("192.0.3.7"));
        assert_eq!(network("2001:db8:0:aa::1"), network("2001:db8:0:bb::2"));
        assert_ne!(network("2001:db8:0:aa::1"), network("2001:db8:0:1bb::2"));
    }

    #[test]
    fn nobody_fills_the_audit_log_by_asking() {
        let throttle = Throttle::new(&Limits::default());
        let (one, other) = (UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));
        let noted = (0..50).filter(|_| throttle.note_refusal(one)).count();
        assert!((20..25).contains(&noted), "{noted}");
        assert!(throttle.note_refusal(other));
    }

    #[test]
    fn nobody_does_what_is_costly_without_end() {
        let throttle = Throttle::new(&Limits::default());
        let (one, other) = (UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));
        for (what, most) in [(Costly::Search, 240), (Costly::Export, 30), (Costly::Workspace, 12)] {
            let taken = (0..most + 50).filter(|_| throttle.take_of(one, what).is_ok()).count();
            // Some come back while they are taken.
            assert!((most..most + 5).contains(&taken), "{what:?}: {taken}");
            let refused = throttle.take_of(one, what).unwrap_err();
            assert_eq!(refused.code, ErrorCode::RateLimited, "{what:?}");
            assert!(throttle.take_of(other, what).is_ok(), "{what:?}: nobody else waits for it");
        }
    }

    #[test]
    fn nobodys_mailbox_is_filled_by_asking() {
        let throttle = Throttle::new(&Limits::default());
        assert_eq!((0..50).filter(|_| throttle.note_letter("a@b.c")).count(), 5);
        assert!(throttle.note_letter("a@b.d"));
    }

    #[test]
    fn changes_of_address_are_counted_by_person_and_by_address() {
        let throttle = Throttle::new(&Limits::default());
        let (one, other) = (UserId(uuid::Uuid::from_u128(1)), UserId(uuid::Uuid::from_u128(2)));
        assert_eq!((0..9).filter(|n| throttle.take_email_change(one, &format!("a{n}@b.c")).is_ok()).count(), 5);
        assert_eq!((0..9).filter(|_| throttle.take_email_change(other, "a@b.d").is_ok()).count(), 5);
        assert!(!throttle.note_letter("a@b.d") && throttle.note_letter("a@b.e"));
    }

    #[test]
    fn a_token_has_its_own_minute_and_is_told_when_it_goes_on() {
        let limits = Limits { api_requests_per_minute: NonZeroU32::MIN.saturating_add(9), ..Limits::default() };
        let throttle = Throttle::new(&limits);
        let (one, other) = (ApiTokenId(uuid::Uuid::from_u128(1)), ApiTokenId(uuid::Uuid::from_u128(2)));
        assert!((0..10).all(|_| throttle.note_request(one).is_ok()));
        let wait = throttle.note_request(one).unwrap_err();
        assert!(wait <= Duration::from_secs(6), "{wait:?}");
        assert!(throttle.note_request(other).is_ok());
    }

    #[test]
    fn a_workspace_has_its_own_second_and_is_told_when_it_goes_on() {
        let limits = Limits { workspace_requests_per_second: NonZeroU32::MIN, ..Limits::default() };
        let throttle = Throttle::new(&limits);
        let (one, other) = (WorkspaceId(uuid::Uuid::from_u128(1)), WorkspaceId(uuid::Uuid::from_u128(2)));
        let taken = (0..20).filter(|_| throttle.take_of_workspace(one).is_ok()).count();
        // One may come back while they are taken.
        assert!((2..4).contains(&taken), "{taken}");
        let refused = throttle.take_of_workspace(one).unwrap_err();
        assert_eq!((refused.code, refused.retry_after_s), (ErrorCode::RateLimited, Some(1)));
        assert!(throttle.take_of_workspace(other).is_ok(), "a neighbour does not wait for it");
    }
}
