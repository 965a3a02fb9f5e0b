//! What people did, append-only: nobody may change or remove an entry.

use crate::{Result, WorkspaceTx};
use serde_json::Value;
use uuid::Uuid;

/// Writes an entry in the transaction of the act itself. `act` is `noun.verb`; `detail` holds no secret.
pub async fn record(tx: &mut WorkspaceTx, actor: &str, act: &str, object: &str, detail: &Value) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "insert into audit_entries (workspace_id, id, actor, act, object, detail) values ($1, $2, $3, $4, $5, $6)",
        workspace,
        Uuid::now_v7(),
        actor,
        act,
        object,
        detail
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
