//! Places with machines and a time zone.

use crate::{Result, WorkspaceTx};
use clarity_domain::ids::SiteId;
use uuid::Uuid;

/// # Errors
/// `Conflict("sites_workspace_id_name_key")` when the workspace has a site of this name.
pub async fn insert(tx: &mut WorkspaceTx, name: &str, time_zone: &str) -> Result<SiteId> {
    let (workspace, id) = (tx.workspace(), Uuid::now_v7());
    sqlx::query!(
        "insert into sites (workspace_id, id, name, time_zone) values ($1, $2, $3, $4)",
        workspace,
        id,
        name,
        time_zone
    )
    .execute(tx.conn())
    .await?;
    Ok(SiteId(id))
}
