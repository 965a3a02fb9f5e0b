//! What members have said of the steps of their workspace's set-up.

use crate::{Result, WorkspaceTx};
use clarity_domain::ids::UserId;

/// Every word that was said: step and outcome.
pub async fn list(tx: &mut WorkspaceTx) -> Result<Vec<(String, String)>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!("select step, outcome from set_up_steps where workspace_id = $1", workspace)
        .fetch_all(tx.conn())
        .await?;
    Ok(rows.into_iter().map(|r| (r.step, r.outcome)).collect())
}

/// Says that a step is done or skipped.
///
/// # Errors
/// `Invalid` for words that the table does not know.
pub async fn note(tx: &mut WorkspaceTx, step: &str, outcome: &str, by: UserId) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "insert into set_up_steps (workspace_id, step, outcome, said_by)
         values ($1, $2, $3, $4)
         on conflict (workspace_id, step) do update
         set outcome = excluded.outcome, said_by = excluded.said_by, said_at = now()",
        workspace,
        step,
        outcome,
        by.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
