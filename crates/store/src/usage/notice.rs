//! What is said of limits: that one of the month comes near, and that agents wait for the plan's rate.

use crate::at::micros;
use crate::{Result, StoreError, WorkspaceTx};
use clarity_domain::plan::{Limit, Standing};
use clarity_domain::time::Micros;

/// Notes how this month's use of a limit stands; whether it is news. Of two who note it at once, one has the news.
pub async fn note(tx: &mut WorkspaceTx, limit: Limit, standing: Standing) -> Result<bool> {
    let workspace = tx.workspace();
    let Some(share) = standing.share() else { return Ok(false) };
    let done = sqlx::query!(
        "insert into usage_notices (workspace_id, month, what, share)
         values ($1, date_trunc('month', now() at time zone 'utc')::date, $2, $3)
         on conflict (workspace_id, month, what, share) do nothing",
        workspace,
        limit.as_str(),
        share
    )
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What was said of this month, ever the highest of a limit.
pub async fn list_notices(tx: &mut WorkspaceTx) -> Result<Vec<(Limit, Standing)>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select what, max(share) as "share!"
           from usage_notices
           where workspace_id = $1
             and month = date_trunc('month', now() at time zone 'utc')::date
           group by what
           order by what"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    let corrupt = || StoreError::Corrupt("usage_notices");
    rows.into_iter()
        .map(|r| {
            let limit: Limit = r.what.parse().map_err(|_| corrupt())?;
            Ok((limit, Standing::from_share(r.share).ok_or_else(corrupt)?))
        })
        .collect()
}

/// Notes that an agent waits for the plan's rate. A minute without one ends a slowdown; the next is another.
pub async fn note_slowdown(tx: &mut WorkspaceTx) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "insert into slowdowns as s (workspace_id)
         values ($1)
         on conflict (workspace_id) do update
         set since = case when s.seen_at > now() - interval '1 minute' then s.since else now() end, seen_at = now()",
        workspace
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Since when agents wait; `None` when none had to within the last minute.
pub async fn find_slowdown(tx: &mut WorkspaceTx) -> Result<Option<Micros>> {
    let workspace = tx.workspace();
    let since = sqlx::query_scalar!(
        "select since from slowdowns where workspace_id = $1 and seen_at > now() - interval '1 minute'",
        workspace
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(since.map(micros))
}
