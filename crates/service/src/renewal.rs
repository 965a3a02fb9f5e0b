//! A new token in the place of a session's, when what its person may do has changed: a role given or taken, a workspace joined or
//! left, a second factor added or gone, a confirmation. What somebody took of the old token is worth nothing from then on.
//!
//! What changes rights marks the sessions, in its own transaction (`store::auth::renewal::ask`); here is what the next request
//! does. Why it is so: `docs/decisions/0020-session-renewal.md`.

use clarity_domain::error::AppError;
use clarity_domain::time::SECOND;
use clarity_runtime::clock::now_us;
use clarity_store::auth::renewal;

use crate::Services;
use crate::error::fault;
use crate::visitor::{Visitor, new_token};

/// The same session under a new token, which is for the cookie and is kept nowhere else. No `Debug`.
#[derive(Clone)]
pub struct Renewed {
    pub token: String,
    /// What is left of the session: it ends when it would have ended.
    pub max_age_s: i64,
}

impl Services {
    /// The new token of the visitor's session, where it is time for one. The caller sends it with its answer. `None` for
    /// everybody else, without asking the database, and for the second of two requests at once.
    pub async fn renew_session(&self, visitor: &Visitor) -> Result<Option<Renewed>, AppError> {
        let Some(member) = visitor.member().filter(|member| member.renewable) else { return Ok(None) };
        let (token, hash) = new_token()?;
        let mut tx = self.auth.begin().await.map_err(fault)?;
        let ends_at = renewal::renew(&mut tx, &member.token, &member.shown, &hash).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(ends_at.map(|ends_at| Renewed { token, max_age_s: (ends_at - now_us()) / SECOND }))
    }
}
