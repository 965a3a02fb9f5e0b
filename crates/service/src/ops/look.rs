//! What one of our own people sees of a workspace while a grant of its owner is live.

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::view::support::{OpsGrant, OpsLook};
use clarity_runtime::clock::now_us;
use clarity_store::support::look as store;

use super::OpsSeat;
use crate::Services;
use crate::error::fault;

/// As the audit log names it.
const WHAT: &str = "agents, sources, dead letters";

impl Services {
    /// How agents and sources are, and why events could not be read. Each call stands in the workspace's audit log, in the name
    /// of who looks and of who let them; when it cannot be written, nothing is read.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` without a live grant, and when it ended meanwhile.
    pub async fn ops_look(&self, seat: &OpsSeat, slug: &str) -> Result<OpsLook, AppError> {
        let (scope, _) = self.ops_scope(seat, slug).await?;
        let client = &seat.client;
        let looking = self.ops_store()?.look(&scope, WHAT, &client.address, client.request_id).await.map_err(fault)?;
        let mut looking = looking.ok_or_else(not_let_in)?;
        let agents = store::list_agents(&mut looking).await.map_err(fault)?;
        let sources = store::list_sources(&mut looking).await.map_err(fault)?;
        let dead_letters = store::list_dead_letters(&mut looking).await.map_err(fault)?;
        let grant = looking.finish().await.map_err(fault)?.ok_or_else(not_let_in)?;
        Ok(OpsLook {
            as_of: now_us(),
            grant: OpsGrant { id: grant.id, approved_by: grant.approved_by, ends_at: grant.ends_at },
            agents,
            sources,
            dead_letters,
        })
    }
}

fn not_let_in() -> AppError {
    AppError::new(ErrorCode::Forbidden, "No owner of this workspace lets you in now. Ask for access.")
}
