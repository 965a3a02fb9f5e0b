//! Our side: asking for access, and what became of it.

use clarity_domain::ids::SupportGrantId;
use clarity_domain::time::Micros;
use uuid::Uuid;

use crate::at::micros;
use crate::{OpsTx, Result};

/// A request of the transaction's person in the transaction's workspace.
#[derive(Clone, Debug)]
pub struct OwnRow {
    pub id: SupportGrantId,
    pub reason: String,
    pub minutes: i32,
    pub requested_at: Micros,
    /// approved, refused, lapsed.
    pub decision: Option<String>,
    pub decided_by: Option<String>,
    pub ends_at: Option<Micros>,
    pub ended_at: Option<Micros>,
}

/// A request to be.
#[derive(Clone, Debug)]
pub struct NewRequest<'a> {
    pub id: SupportGrantId,
    pub reason: &'a str,
    pub minutes: i32,
    pub address: &'a str,
    pub request_id: Option<Uuid>,
}

/// Asks, in the workspace's audit log too. False when one of this person's is open already.
pub async fn request(tx: &mut OpsTx, new: &NewRequest<'_>) -> Result<bool> {
    let made = sqlx::query_scalar!(
        r#"select request_support($1, $2, $3, $4, $5) as "made!""#,
        new.id.0,
        new.reason,
        new.minutes,
        new.address,
        new.request_id
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(made)
}

/// The newest first, as many as `limit`.
pub async fn list_own(tx: &mut OpsTx, limit: i64) -> Result<Vec<OwnRow>> {
    let (workspace, user) = (tx.workspace(), tx.user());
    let rows = sqlx::query!(
        "select id, reason, minutes, requested_at, decision, decided_by_name, ends_at, ended_at
         from support_grants
         where workspace_id = $1
           and ops_user_id = $2
         order by requested_at desc, id desc
         limit $3",
        workspace,
        user,
        limit
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| OwnRow {
            id: SupportGrantId(r.id),
            reason: r.reason,
            minutes: r.minutes,
            requested_at: micros(r.requested_at),
            decision: r.decision,
            decided_by: r.decided_by_name,
            ends_at: r.ends_at.map(micros),
            ended_at: r.ended_at.map(micros),
        })
        .collect())
}
