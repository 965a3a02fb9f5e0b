//! From a bearer's text to a seat, and the check of what the token may.

use std::time::Duration;

use clarity_domain::audit::{Act, ActorKind, Outcome};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::{ApiTokenId, UserId};
use clarity_domain::scope::Scope;
use clarity_runtime::planted::planted;
use clarity_store::audit::{Actor, Entry, Object};
use clarity_store::auth::api_token::{self, LiveToken};
use serde_json::json;

use super::text;
use crate::error::fault;
use crate::{Client, Seat, Services};

/// Longer than any token: what is hashed of what anybody sends.
const LONGEST: usize = 256;

/// A service account in its workspace, with what its token may. The seat inside is reached by naming a scope
/// ([`Services::allow`]) and in no other way.
#[derive(Clone, Debug)]
pub struct ApiSeat {
    seat: Seat,
    token: ApiTokenId,
    scopes: Vec<Scope>,
}

impl Services {
    /// The seat behind the text of an `Authorization: Bearer` header. A request without one, and one with a token that is
    /// unknown, expired, revoked or of a removed account, are answered alike; each takes an attempt from its network.
    ///
    /// # Errors
    /// `Unauthenticated`; `RateLimited` after many of those from one network.
    pub async fn enter_by_token(&self, bearer: Option<&str>, client: &Client) -> Result<ApiSeat, AppError> {
        // Whatever was sent is hashed and looked up, so that the time taken tells nothing of how wrong it was.
        let sent = bearer.filter(|sent| sent.len() <= LONGEST).unwrap_or_default();
        let hash = text::hash(sent);
        let Some(live) = api_token::resolve(&self.auth, &hash).await.map_err(fault)? else {
            self.throttle.take_bearer(&client.address)?;
            return Err(AppError::new(
                ErrorCode::Unauthenticated,
                "This request needs an API token that is valid, in its header: Authorization: Bearer cst_…",
            ));
        };
        if live.stale {
            let mut tx = self.auth.begin().await.map_err(fault)?;
            api_token::touch(&mut tx, &hash).await.map_err(fault)?;
            tx.commit().await.map_err(fault)?;
        }
        Ok(seat(live, client))
    }

    /// Takes one request from the token's minute.
    ///
    /// # Errors
    /// After how long the next one may come.
    pub fn take_request(&self, api: &ApiSeat) -> Result<(), Duration> {
        self.throttle.note_request(api.token)
    }

    /// The seat, when the token has this scope; a refusal is written down.
    ///
    /// # Errors
    /// `Forbidden`, with the scope's name.
    pub async fn allow<'a>(&self, api: &'a ApiSeat, scope: Scope) -> Result<&'a Seat, AppError> {
        if api.scopes.contains(&scope) || planted("any-scope-of-the-api") {
            return Ok(&api.seat);
        }
        let seat = &api.seat;
        if self.throttle.note_refusal(seat.user_id) {
            let id = api.token.to_string();
            let object = Object { kind: "api_token", id: &id, name: "" };
            let after = json!({ "scopes": super::words(&api.scopes), "needed": scope.as_str() });
            let refused = Entry { outcome: Outcome::Refused, after: Some(after), ..seat.entry(Act::UseToken, object) };
            self.record(seat, &refused).await?;
        } else {
            tracing::warn!(token = %api.token, "too many refusals: not written into the audit log");
        }
        Err(AppError::new(
            ErrorCode::Forbidden,
            format!(
                "This needs a token with the scope {}. Make one with it: a token's scopes never change.",
                scope.as_str()
            ),
        ))
    }
}

fn seat(live: LiveToken, client: &Client) -> ApiSeat {
    let actor = Actor { kind: ActorKind::Service, id: Some(live.account.0), name: live.account_name };
    let seat = Seat {
        scope: live.scope,
        card: live.card,
        time_zone: live.time_zone,
        // Nobody has this id: a use case that would write down a person finds none. A token opens only what reads.
        user_id: UserId(live.account.0),
        actor,
        client: client.clone(),
        token: None,
        // A policy on people.
        second_factor_required: false,
        proof: None,
    };
    ApiSeat { seat, token: live.id, scopes: live.scopes }
}
