//! Coming back from the provider: the answer is taken once, looked at from all sides, and leads on.

use clarity_domain::error::AppError;
use clarity_domain::ids::WorkspaceId;
use clarity_domain::time::{MINUTE, Micros};
use clarity_runtime::clock::now_us;
use clarity_store::auth::sso::attempt::{self, AttemptRow, Purpose};
use clarity_store::auth::sso::connection::{self, ConnectionRow};

use super::begin::SIGNED_IN_WITHIN;
use super::provider::{Named, Sent};
use super::trouble::Trouble;
use super::{VERIFIER, over};
use crate::error::fault;
use crate::visitor::token_hash;
use crate::{Client, Services, SignedIn};

/// Somebody who was asked to sign in anew did so at most this long ago.
const NOW: Micros = 5 * MINUTE;
/// By which a provider's clock may be wrong.
const LEEWAY: Micros = MINUTE;

/// What stands in the address that the provider sends the browser back to. No `Debug`: the code is in it.
#[derive(Clone, Default)]
pub struct SsoAnswer {
    /// Whose address it was sent back to; `None` fits nobody's.
    pub workspace: Option<WorkspaceId>,
    pub state: String,
    pub code: Option<String>,
    /// RFC 9207: who answers.
    pub iss: Option<String>,
    /// One word, when the provider says no.
    pub error: Option<String>,
}

/// Where it leads. No `Debug`: it holds secrets of cookies.
#[derive(Clone)]
pub enum SsoOutcome {
    SignedIn {
        signed_in: SignedIn,
        slug: String,
        /// As it was given at the start.
        next: Option<String>,
    },
    /// An owner's test is over; its page shows what it found.
    Tested { slug: String },
    /// The address has an account: its password is asked for. The token is for a cookie.
    Link { token: String, max_age_s: i64 },
}

impl Services {
    /// Takes the provider's answer. `browser`: the cookie that the start gave.
    ///
    /// # Errors
    /// `NotFound` for a way that is over, was used, or began in another browser; `Unavailable` for an answer that is not
    /// right; `Forbidden` for somebody whom the provider names and the workspace does not let in; `RateLimited`.
    pub async fn finish_sso(
        &self,
        answer: SsoAnswer,
        browser: Option<&str>,
        client: &Client,
    ) -> Result<SsoOutcome, AppError> {
        self.throttle.take(&client.address)?;
        let (attempt, connection) = self.take_attempt(&answer, browser, client).await?;
        let named = Box::pin(self.ask_provider(&connection, &attempt, answer)).await?;
        match (attempt.purpose, named) {
            (Purpose::Test, named) => {
                self.finish_test(&connection, &attempt, named, client).await?;
                Ok(SsoOutcome::Tested { slug: connection.slug })
            }
            (Purpose::SignIn, Ok(named)) => Box::pin(self.let_in(connection, attempt, named, client)).await,
            (Purpose::SignIn, Err(trouble)) => {
                self.note_sso_refused(&connection, None, trouble.kind, client).await?;
                Err(trouble.said())
            }
            (Purpose::Link, _) => Err(over()),
        }
    }

    /// Uses the way up, when it is this browser's and came back to its own workspace's address. Nothing has gone out yet.
    async fn take_attempt(
        &self,
        answer: &SsoAnswer,
        browser: Option<&str>,
        client: &Client,
    ) -> Result<(AttemptRow, ConnectionRow), AppError> {
        let state = token_hash(&answer.state).ok_or_else(over)?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let attempt = attempt::lock(&mut tx, &state).await.map_err(fault)?;
        let attempt = attempt.filter(|attempt| attempt.purpose != Purpose::Link).ok_or_else(over)?;
        let connection = connection::find_for(&mut tx, &attempt).await.map_err(fault)?.ok_or_else(over)?;
        let same_browser = browser.and_then(token_hash) == Some(attempt.browser);
        let reason = match (attempt.consumed, same_browser) {
            (true, _) => Some("replayed"),
            (false, false) => Some("another_browser"),
            // The code was made for another workspace's client; it goes nowhere.
            (false, true) if answer.workspace != Some(connection.workspace()) => Some("another_workspace"),
            (false, true) if !connection.enabled && attempt.purpose == Purpose::SignIn => Some("disabled"),
            (false, true) => None,
        };
        if let Some(reason) = reason {
            drop(tx);
            self.note_sso_refused(&connection, None, reason, client).await?;
            return Err(over());
        }
        attempt::consume(&mut tx, &state).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok((attempt, connection))
    }

    /// Whom the provider names, when all of its answer is right. The outer error is a fault of ours.
    async fn ask_provider(
        &self,
        connection: &ConnectionRow,
        attempt: &AttemptRow,
        answer: SsoAnswer,
    ) -> Result<Result<Named, Trouble>, AppError> {
        let who = self.registration(connection)?;
        let metadata = match self.providers.read(&self.outgoing, &who).await {
            Ok(metadata) => metadata,
            Err(trouble) => return Ok(Err(trouble)),
        };
        // Before anything is sent anywhere: an answer of another provider must not have its code carried to this one.
        let names_itself = metadata.additional_metadata().authorization_response_iss_parameter_supported;
        let issuer_is_right = match &answer.iss {
            Some(iss) => *iss == connection.issuer,
            None => !names_itself,
        };
        if !issuer_is_right {
            return Ok(Err(Trouble {
                kind: "another_issuer",
                words: "The answer names another issuer than the one that was asked. Check the issuer.".into(),
            }));
        }
        if let Some(error) = answer.error {
            let word: String = error.chars().filter(|c| !c.is_control()).take(60).collect();
            return Ok(Err(Trouble { kind: "provider_refused", words: format!("The provider answered: {word}.") }));
        }
        let (Some(code), Some(nonce_hash), Some(sealed)) = (answer.code, attempt.nonce, &attempt.verifier_box) else {
            return Ok(Err(Trouble { kind: "no_code", words: "The provider sent no code.".into() }));
        };
        let opened = self.settings.secrets.open_as(VERIFIER, connection.workspace().0, sealed)?;
        let verifier = String::from_utf8_lossy(&opened).into_owned();
        let named = self.providers.name(&self.outgoing, &who, code, Sent { nonce_hash, verifier }).await;
        Ok(named.and_then(|named| if attempt.again { signed_in_now(named) } else { signed_in_lately(named) }))
    }
}

/// Lets those go on who signed in there within the time that was asked for, or of whom the provider does not say when: their
/// session is no confirmed one.
fn signed_in_lately(named: Named) -> Result<Named, Trouble> {
    let within = i64::try_from(SIGNED_IN_WITHIN.as_micros()).unwrap_or(i64::MAX).saturating_add(LEEWAY);
    let now = now_us();
    if named.signed_in_at.is_none_or(|at| now.saturating_sub(at) < within) {
        return Ok(named);
    }
    Err(Trouble {
        kind: "too_long_ago",
        words: "The provider let somebody on who signed in there more than 12 hours ago. It has to heed max_age."
            .into(),
    })
}

/// Lets those go on whom the provider has just seen.
fn signed_in_now(named: Named) -> Result<Named, Trouble> {
    let now = now_us();
    if named.signed_in_at.is_some_and(|at| now.saturating_sub(at) < NOW) {
        return Ok(named);
    }
    Err(Trouble { kind: "not_anew", words: "The provider did not ask the person to sign in anew.".into() })
}
