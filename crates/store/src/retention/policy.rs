//! What a workspace said about keeping, and its legal holds.
//!
//! A hold and a removal take the same lock of the workspace, the hold alone and removals together: whoever has placed a
//! hold knows that nothing is removed from then on.

use crate::at::micros;
use crate::{Result, StoreError, WorkspaceTx};
use clarity_domain::ids::{LegalHoldId, UserId};
use clarity_domain::retention::{DataClass, Keep};
use clarity_domain::time::Micros;
use uuid::Uuid;

/// What was said; a class that is not there has its default.
pub async fn list_policies(tx: &mut WorkspaceTx) -> Result<Vec<(DataClass, Keep)>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!("select data_class, keep_days from retention_policies where workspace_id = $1", workspace)
        .fetch_all(tx.conn())
        .await?;
    rows.into_iter()
        .map(|r| {
            let class = DataClass::read(&r.data_class).ok_or(StoreError::Corrupt("retention_policies.data_class"))?;
            Ok((class, r.keep_days.map(i32::unsigned_abs)))
        })
        .collect()
}

/// Says how long a class is kept.
///
/// # Errors
/// `Invalid` below the class's least time.
pub async fn set_policy(tx: &mut WorkspaceTx, class: DataClass, keep: Keep) -> Result<()> {
    let workspace = tx.workspace();
    let days = keep.map(|days| i32::try_from(days).unwrap_or(i32::MAX));
    sqlx::query!(
        "insert into retention_policies (workspace_id, data_class, keep_days)
         values ($1, $2, $3)
         on conflict (workspace_id, data_class) do update
         set keep_days = excluded.keep_days, changed_at = now()",
        workspace,
        class.as_str(),
        days
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A reason why nothing is removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub id: LegalHoldId,
    pub reason: String,
    pub placed_at: Micros,
}

/// Open holds, the oldest first.
pub async fn list_holds(tx: &mut WorkspaceTx) -> Result<Vec<Hold>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select id, reason, placed_at
         from legal_holds
         where workspace_id = $1
           and lifted_at is null
         order by placed_at, id",
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Hold { id: LegalHoldId(r.id), reason: r.reason, placed_at: micros(r.placed_at) })
        .collect())
}

/// Places a hold, after removals that are under way have ended.
///
/// # Errors
/// `Conflict("erasure_begun")` when the workspace's own deletion has begun: nothing holds that up any more.
pub async fn place_hold(tx: &mut WorkspaceTx, reason: &str, by: UserId) -> Result<LegalHoldId> {
    let workspace = tx.workspace();
    sqlx::query!(
        r#"select pg_advisory_xact_lock(hashtextextended('retention ' || $1::uuid::text, 0))::text as "locked""#,
        workspace
    )
    .fetch_one(tx.conn())
    .await?;
    let id = Uuid::now_v7();
    let placed = sqlx::query!(
        "insert into legal_holds (workspace_id, id, reason, placed_by)
         select $1::uuid, $2::uuid, $3::text, $4::uuid
         where not erasure_begun()",
        workspace,
        id,
        reason,
        by.0
    )
    .execute(tx.conn())
    .await?;
    if placed.rows_affected() == 1 { Ok(LegalHoldId(id)) } else { Err(StoreError::Conflict("erasure_begun".into())) }
}

/// Lifts an open hold; gives its reason.
///
/// # Errors
/// `NotFound` when it is none, or lifted already.
pub async fn lift_hold(tx: &mut WorkspaceTx, id: LegalHoldId, by: UserId) -> Result<String> {
    let workspace = tx.workspace();
    Ok(sqlx::query_scalar!(
        "update legal_holds
         set lifted_at = now(), lifted_by = $3
         where workspace_id = $1
           and id = $2
           and lifted_at is null
         returning reason",
        workspace,
        id.0,
        by.0
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Whether a hold is open.
pub async fn is_held(tx: &mut WorkspaceTx) -> Result<bool> {
    let workspace = tx.workspace();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from legal_holds where workspace_id = $1 and lifted_at is null) as "held!""#,
        workspace
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Begins a removal: no hold is placed until its transaction ends. False when one is open. What the removal would have to
/// wait for longer than a few seconds makes it fail: it is tried again, and nobody waits behind it.
pub async fn enter(tx: &mut WorkspaceTx) -> Result<bool> {
    let workspace = tx.workspace();
    sqlx::query!(r#"select set_config('lock_timeout', '3s', true) as "set""#).fetch_one(tx.conn()).await?;
    sqlx::query!(
        r#"select pg_advisory_xact_lock_shared(hashtextextended('retention ' || $1::uuid::text, 0))::text as "locked""#,
        workspace
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(!is_held(tx).await?)
}
