//! Single sign-on with OpenID Connect: a workspace's own provider says who somebody is, in that workspace and nowhere else.
//!
//! The code flow with PKCE, state, nonce and the issuer in the answer (RFC 9207). A way to the provider and back is used once, in the
//! browser that began it. Whom a provider names is found by workspace, issuer and subject; an e-mail address never finds an
//! account by itself: who has one shows with its password that it is theirs. Whoever has none joins when the address is
//! verified and its domain is the workspace's. Every refusal is written down there.

mod answer;
mod begin;
mod enter;
mod join;
mod known;
mod link;
mod provider;
mod require;
mod settings;
mod tested;
mod trouble;

use clarity_domain::audit::{Act, ActorKind, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{UserId, WorkspaceId};
use clarity_domain::time::{MINUTE, Micros};
use clarity_store::audit::{self, Actor, Entry, Object};
use clarity_store::auth::member;
use clarity_store::auth::sso::connection::{self, ConnectionRow};
use clarity_store::{AuthTx, StoreError, WorkspaceScope};
use openidconnect::ClientSecret;
use serde_json::json;

use crate::error::{broken, fault};
use crate::{Client, Services};

pub use answer::{SsoAnswer, SsoOutcome};
pub use begin::{SsoAsk, SsoStart};
pub(crate) use known::Providers;
pub use link::LinkSso;

/// A way there and back, and the minutes to show that an account is one's own.
const ATTEMPT_LIFE: Micros = 10 * MINUTE;
/// What a client's secret is sealed for.
const SECRET: &str = "sso client secret";
/// What a verifier (PKCE) is sealed for.
const VERIFIER: &str = "sso verifier";

impl Services {
    /// What a provider is told to send people back to: an address of each workspace's own, so that a code of one workspace's
    /// provider is never carried to another's, whatever the two say of themselves (RFC 9700 §4.4.2.2).
    pub(crate) fn sso_redirect_uri(&self, workspace: WorkspaceId) -> String {
        format!("{}/sso/callback/{workspace}", self.settings.public_url)
    }

    fn registration(&self, connection: &ConnectionRow) -> Result<provider::Registration, AppError> {
        let opened = self.settings.secrets.open_as(SECRET, connection.workspace().0, &connection.client_secret_box)?;
        let secret = std::str::from_utf8(&opened).map_err(broken)?;
        Ok(provider::Registration {
            workspace: connection.workspace(),
            issuer: connection.issuer.clone(),
            client_id: connection.client_id.clone(),
            client_secret: ClientSecret::new(secret.to_owned()),
            redirect_uri: self.sso_redirect_uri(connection.workspace()),
        })
    }

    /// Writes a refusal into the workspace's log: why in one word, and whom the provider named, if anybody.
    async fn note_sso_refused(
        &self,
        connection: &ConnectionRow,
        who: Option<&str>,
        reason: &str,
        client: &Client,
    ) -> Result<(), AppError> {
        // By the connection: nobody fills the log by asking.
        if !self.throttle.note_refusal(UserId(connection.id)) {
            tracing::warn!(workspace = %connection.workspace(), reason, "too many refusals: not written into the audit log");
            return Ok(());
        }
        let name = who.map_or_else(|| "somebody by single sign-on".to_owned(), |who| who.chars().take(254).collect());
        let actor = Actor { kind: ActorKind::Person, id: None, name };
        let entry = Entry {
            actor: &actor,
            act: Act::SignIn,
            object: Object::default(),
            before: None,
            after: Some(json!({ "by": "single sign-on", "reason": reason })),
            outcome: Outcome::Refused,
            address: &client.address,
            request_id: client.request_id,
        };
        self.record_in(&connection.scope, &entry).await
    }

    /// Writes an entry in a transaction of its own.
    async fn record_in(&self, scope: &WorkspaceScope, entry: &Entry<'_>) -> Result<(), AppError> {
        let mut tx = self.app.begin(scope).await.map_err(fault)?;
        audit::record(&mut tx, entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }
}

/// Holds the workspace, and reads its connection anew: while the provider was asked an owner may have turned it off, taken it
/// away or set another one up, and whoever it named counts for nothing then.
async fn hold(tx: &mut AuthTx, asked: &ConnectionRow) -> Result<ConnectionRow, AppError> {
    member::lock(tx, &asked.scope).await.map_err(|error| match error {
        StoreError::NotFound => over(),
        other => fault(other),
    })?;
    let now = connection::find(tx, &asked.scope).await.map_err(fault)?;
    let is_same = |now: &ConnectionRow| {
        (now.id, &now.issuer, &now.client_id, now.enabled) == (asked.id, &asked.issuer, &asked.client_id, asked.enabled)
    };
    now.filter(is_same).ok_or_else(over)
}

/// Whatever ended it, the answer is the same.
fn over() -> AppError {
    AppError::new(
        ErrorCode::NotFound,
        "This sign-in is over, or was begun in another browser. Begin again at your workspace's single sign-on.",
    )
}

/// For a workspace that does not exist and for one without a provider alike.
fn not_there() -> AppError {
    AppError::new(
        ErrorCode::NotFound,
        "This address has no single sign-on. Check how it is written, or sign in with your password.",
    )
}
