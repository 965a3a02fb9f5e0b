//! The way to a workspace's provider: what is kept until somebody comes back, and where the browser goes.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::UserId;
use clarity_domain::role::Permission;
use clarity_domain::time::SECOND;
use clarity_runtime::clock::now_us;
use clarity_store::audit::Object;
use clarity_store::auth::sso::attempt::{self, NewAttempt, Purpose};
use clarity_store::auth::sso::connection::{self, ConnectionRow};
use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow};
use openidconnect::{CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope};
use std::time::Duration;

use super::{ATTEMPT_LIFE, VERIFIER, not_there, provider, trouble};
use crate::error::fault;
use crate::throttle::network;
use crate::visitor::new_token;
use crate::{Client, Services, Visitor};

/// The provider says when somebody signed in there; longer ago than a session may rest, it asks again.
pub(super) const SIGNED_IN_WITHIN: Duration = Duration::from_secs(12 * 3_600);
/// To confirm that it is them, somebody signs in at the provider now.
const SIGNED_IN_NOW: Duration = Duration::from_secs(60);
/// Of a page to go on to.
const LONGEST_NEXT: usize = 2_000;

/// What a way to the provider is for.
#[derive(Clone, Debug, Default)]
pub struct SsoAsk {
    /// A page of ours to go on to; the caller has looked that it is one.
    pub next: Option<String>,
    /// To sign in at the provider anew, so that the session is a confirmed one.
    pub again: bool,
    /// An owner looks whether it works; nobody is signed in.
    pub test: bool,
}

/// Where the browser goes. No `Debug`: the secret of the cookie is in it.
#[derive(Clone)]
pub struct SsoStart {
    /// The provider's page.
    pub url: String,
    /// For a cookie: only the browser that has it can come back.
    pub browser: String,
    pub max_age_s: i64,
}

impl Services {
    /// Begins a way to the provider of the workspace of this slug.
    ///
    /// # Errors
    /// `NotFound` for no workspace and for one without single sign-on alike; `Unavailable` when the provider does not answer as
    /// it should; `RateLimited`; of a test `Unauthenticated`, `Forbidden` and `ConfirmNeeded` as well.
    pub async fn start_sso(
        &self,
        visitor: &Visitor,
        slug: &str,
        ask: SsoAsk,
        client: &Client,
    ) -> Result<SsoStart, AppError> {
        self.throttle.take(&client.address)?;
        let tester = if ask.test { Some(self.tester(visitor, slug, client).await?) } else { None };
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let found = connection::find_by_slug(&mut tx, slug).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        let connection = found.filter(|found| found.enabled || tester.is_some()).ok_or_else(not_there)?;
        let who = self.registration(&connection)?;
        // What an owner has just changed at the provider is seen by a test.
        let read = match tester {
            Some(_) => self.providers.read_anew(&self.outgoing, &who).await,
            None => self.providers.read(&self.outgoing, &who).await,
        };
        let read = read.and_then(|metadata| {
            // Its sign-in page is on https as it is itself; plain http is for an issuer that an operator allows.
            let scheme = metadata.authorization_endpoint().url().scheme().to_owned();
            let fine = scheme == "https" || (scheme == "http" && who.issuer.starts_with("http://"));
            if fine { Ok(metadata) } else { Err(trouble::insecure()) }
        });
        let metadata = match read {
            Ok(metadata) => metadata,
            Err(trouble) => return Err(self.no_way(&connection, tester, &trouble, client).await?),
        };
        let (state, state_hash) = new_token()?;
        let (nonce, nonce_hash) = new_token()?;
        let (verifier, _) = new_token()?;
        let (browser, browser_hash) = new_token()?;
        let sealed = self.settings.secrets.seal_as(VERIFIER, connection.workspace().0, verifier.as_bytes())?;
        let next = ask.next.as_deref().filter(|next| next.len() <= LONGEST_NEXT);
        let new = NewAttempt {
            scope: &connection.scope,
            purpose: if tester.is_some() { Purpose::Test } else { Purpose::SignIn },
            network: &network(&client.address),
            issuer: &connection.issuer,
            browser: browser_hash,
            nonce: Some(nonce_hash),
            verifier_box: Some(&sealed),
            again: ask.again,
            next,
            user: tester,
            subject: None,
            vouched: false,
            expires_at: now_us() + ATTEMPT_LIFE,
        };
        let url = address(&metadata, &who, state, nonce, verifier, ask.again).map_err(|trouble| trouble.said())?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        attempt::insert(&mut tx, &state_hash, &new).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(SsoStart { url, browser, max_age_s: ATTEMPT_LIFE / SECOND })
    }

    /// The owner who may test.
    async fn tester(&self, visitor: &Visitor, slug: &str, client: &Client) -> Result<UserId, AppError> {
        let seat = self.enter(visitor, slug, client).await?;
        let object = Object { kind: "sso", ..Object::default() };
        self.permit_recent(&seat, Permission::OwnWorkspace, Act::TestSso, object).await?;
        Ok(seat.user_id)
    }

    /// The provider cannot be gone to: written down, and said to an owner in full.
    async fn no_way(
        &self,
        connection: &ConnectionRow,
        tester: Option<UserId>,
        trouble: &trouble::Trouble,
        client: &Client,
    ) -> Result<AppError, AppError> {
        match tester {
            Some(user) => {
                self.note_failed_test(connection, user, trouble, client).await?;
                Ok(AppError::new(ErrorCode::Unavailable, trouble.words.clone()))
            }
            None => {
                self.note_sso_refused(connection, None, trouble.kind, client).await?;
                Ok(trouble.said())
            }
        }
    }
}

/// The provider's page with all that has to come back.
fn address(
    metadata: &provider::Metadata,
    who: &provider::Registration,
    state: String,
    nonce: String,
    verifier: String,
    again: bool,
) -> Result<String, trouble::Trouble> {
    let client = provider::client(metadata, who)?;
    let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier));
    let within = if again { SIGNED_IN_NOW } else { SIGNED_IN_WITHIN };
    let request = client
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        )
        .add_scope(Scope::new("email".to_owned()))
        .add_scope(Scope::new("profile".to_owned()))
        .set_pkce_challenge(challenge)
        .set_max_age(within);
    let request = if again { request.add_prompt(CoreAuthPrompt::Login) } else { request };
    let (url, _, _) = request.url();
    Ok(url.into())
}
