//! Rewriting history: asking for it, and how far it is. The work is the workers'.
//!
//! It cannot be undone, so it is asked for by somebody who has just shown that it is them, and the policies that it applies are
//! written down as they were then. Nothing is changed while a legal hold is open.

use clarity_domain::audit::Act;
use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::masking::{MaskPlace, MaskPolicy};
use clarity_domain::role::Permission;
use clarity_domain::view::rewrite::{RewriteRow, Rewriting};
use clarity_runtime::clock::now_us;
use clarity_store::audit::{self, Entry, Object};
use clarity_store::rewrite::{self as store, Rewrite};
use clarity_store::{StoreError, WorkspaceTx, masking, retention};
use serde_json::json;
use uuid::Uuid;

use crate::error::fault;
use crate::frame::small;
use crate::{Seat, Services};

impl Services {
    /// Whether a rewrite can begin, and the last one.
    ///
    /// # Errors
    /// `Forbidden`.
    pub async fn rewriting(&self, seat: &Seat) -> Result<Rewriting, AppError> {
        self.permit(seat, Permission::ManageMasking, Act::ReadMasking, Object::default()).await?;
        let mut tx = self.app.begin_read(&seat.scope).await.map_err(fault)?;
        let policies = at_agents(&mut tx).await.map_err(fault)?;
        let held = retention::is_held(&mut tx).await.map_err(fault)?;
        let last = store::find_last(&mut tx).await.map_err(fault)?;
        tx.commit().await.map_err(fault)?;
        Ok(Rewriting { as_of: now_us(), policies: small(policies.len() as i64), held, last: last.map(show) })
    }

    /// Asks for a rewrite under the policies at agents as they are now.
    ///
    /// # Errors
    /// `Forbidden`, `ConfirmNeeded`; `Conflict` without a policy, under a legal hold, while one runs, and where retention has
    /// removed what the read models would be made anew of.
    pub async fn start_rewrite(&self, seat: &Seat) -> Result<(), AppError> {
        let id = Uuid::now_v7();
        let text = id.to_string();
        let object = Object { kind: "rewrite", id: &text, name: "" };
        self.permit_recent(seat, Permission::ManageMasking, Act::RewriteHistory, object).await?;
        let mut tx = self.app.begin(&seat.scope).await.map_err(fault)?;
        let policies = at_agents(&mut tx).await.map_err(fault)?;
        if policies.is_empty() {
            return Err(conflict(
                "There is nothing to apply: no field is masked at the agent. Add a mask there first.",
            ));
        }
        if retention::is_held(&mut tx).await.map_err(fault)? {
            return Err(conflict("A legal hold is open: nothing that is kept may be changed until an owner lifts it."));
        }
        let cut = store::list_cut_sources(&mut tx).await.map_err(fault)?;
        let concerned = cut.iter().find(|(id, _)| policies.iter().any(|p| p.source_id.is_none_or(|of| of == *id)));
        if let Some((_, name)) = concerned {
            return Err(conflict(format!(
                "Retention has removed the beginning of what {name} sent, so what the pages show of it cannot be made anew. \
                 Shorten how long samples, records and states are kept until the clear values are gone."
            )));
        }
        store::request(&mut tx, id, seat.user_id, &policies).await.map_err(|error| match error {
            StoreError::Conflict(_) => conflict("A rewrite is running already. Wait until it has ended."),
            other => fault(other),
        })?;
        let fields: Vec<String> =
            policies.iter().map(|p| format!("{}.{}: {}", p.stream, p.field, p.rule.words())).collect();
        let entry = Entry { after: Some(json!({ "masks": fields })), ..seat.entry(Act::RewriteHistory, object) };
        audit::record(&mut tx, &entry).await.map_err(fault)?;
        tx.commit().await.map_err(fault)
    }
}

async fn at_agents(tx: &mut WorkspaceTx) -> Result<Vec<MaskPolicy>, StoreError> {
    let mut policies = masking::list_live(tx).await?;
    policies.retain(|policy| policy.place == MaskPlace::Agent);
    Ok(policies)
}

fn conflict(message: impl Into<String>) -> AppError {
    AppError::new(ErrorCode::Conflict, message)
}

fn show(of: Rewrite) -> RewriteRow {
    let count = |n: i64| n.max(0).unsigned_abs();
    RewriteRow {
        started_at: of.requested_at,
        segments_done: count(of.segments_done),
        segments_total: of.segments_total.map(count),
        values: count(of.values_masked),
        letters: count(of.letters_changed),
        sources_done: count(of.sources_done),
        sources: count(of.sources),
        finished_at: of.finished_at,
        stopped: of.stopped,
    }
}
