//! What is done to an agent that is paired: it is revoked, or gets a new key.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::ids::AgentId;
use clarity_domain::role::Permission;
use clarity_store::audit::{Entry, Object};
use clarity_store::auth::agent_key::{self, Asked};
use clarity_store::{agent, audit};
use serde_json::json;

use crate::error::{fault, missing};
use crate::{Seat, Services};

impl Services {
    /// Takes an agent's right to connect; its open connection is cut within seconds. Its data stays. Saying it twice is
    /// saying it once.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound`.
    pub async fn revoke_agent(&self, seat: &Seat, id: AgentId) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { kind: "agent", id: &text, name: "" };
        self.permit_recent(seat, Permission::ManageSources, Act::RevokeAgent, object).await?;
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        agent_key::revoke(&mut tx, &seat.scope, id).await.map_err(missing("agent"))?;
        // The key first: from here on the agent is out, whatever happens to the rest.
        tx.commit().await.map_err(fault)?;
        let mut app = self.app.begin(&seat.scope).await.map_err(fault)?;
        let (name, is_new) = agent::set_revoked(&mut app, id).await.map_err(missing("agent"))?;
        if is_new {
            let entry = Entry {
                before: Some(json!({ "revoked": false })),
                after: Some(json!({ "revoked": true })),
                ..seat.entry(Act::RevokeAgent, Object { name: &name, ..object })
            };
            audit::record(&mut app, &entry).await.map_err(fault)?;
        }
        app.commit().await.map_err(fault)
    }

    /// Asks for a new key in the place of the agent's own: it makes one within seconds when it is connected, else when it next
    /// is. Until it has used the new one both open, then the old one opens nothing any more. Asking twice is asking once.
    ///
    /// # Errors
    /// `Forbidden`; `ConfirmNeeded`; `NotFound`; `Conflict` for an agent that was revoked, and for one whose version does not know
    /// how.
    pub async fn replace_agent_key(&self, seat: &Seat, id: AgentId) -> Result<(), AppError> {
        let text = id.to_string();
        let object = Object { kind: "agent", id: &text, name: "" };
        self.permit_recent(seat, Permission::ManageSources, Act::ReplaceAgentKey, object).await?;
        let mut tx = self.auth.begin_in(&seat.scope).await.map_err(fault)?;
        let words = match agent_key::ask_new(&mut tx, &seat.scope, id).await.map_err(missing("agent"))? {
            Asked::Before => return Ok(()),
            Asked::Now => None,
            Asked::Unable => Some(
                "This agent's version cannot replace its key. Update it and let it connect once, or revoke it and pair it anew.",
            ),
            Asked::Revoked => Some("This agent was revoked. To use it again, pair it anew."),
        };
        if let Some(words) = words {
            return Err(AppError::new(ErrorCode::Conflict, words));
        }
        let mut app = self.app.begin(&seat.scope).await.map_err(fault)?;
        let (name, fingerprint) = agent::get_name_and_words(&mut app, id).await.map_err(missing("agent"))?;
        let entry = Entry {
            before: Some(json!({ "fingerprint": fingerprint })),
            after: Some(json!({ "new_key": "asked for" })),
            ..seat.entry(Act::ReplaceAgentKey, Object { name: &name, ..object })
        };
        audit::record(&mut app, &entry).await.map_err(fault)?;
        app.commit().await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }
}
