//! Exports of a day.

use crate::{Result, WorkspaceTx};

/// Counts one more export of today, if fewer than `at_most` were taken; whether it was. Two at once are counted one after the
/// other.
pub async fn take_export(tx: &mut WorkspaceTx, at_most: Option<u64>) -> Result<bool> {
    let workspace = tx.workspace();
    let at_most = at_most.map_or(i32::MAX, |most| i32::try_from(most).unwrap_or(i32::MAX));
    if at_most == 0 {
        return Ok(false);
    }
    let taken = sqlx::query_scalar!(
        "insert into export_days as d (workspace_id)
         values ($1)
         on conflict (workspace_id, day) do update
         set exports = d.exports + 1
         where d.exports < $2
         returning d.exports",
        workspace,
        at_most
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(taken.is_some())
}

pub async fn count_exports_today(tx: &mut WorkspaceTx) -> Result<u64> {
    let workspace = tx.workspace();
    let taken = sqlx::query_scalar!(
        "select exports from export_days where workspace_id = $1 and day = (now() at time zone 'utc')::date",
        workspace
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(taken.map_or(0, |exports| u64::from(exports.unsigned_abs())))
}
