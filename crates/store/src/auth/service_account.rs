//! Service accounts: named users of the API that are no persons. Whoever changes them locks the workspace first
//! ([`super::member::lock`]).

use super::workspace::role;
use crate::at::micros;
use crate::scope::WorkspaceScope;
use crate::{AuthTx, Result, StoreError};
use clarity_domain::ids::{ServiceAccountId, UserId};
use clarity_domain::role::Role;
use clarity_domain::time::Micros;

/// One that was not removed.
#[derive(Clone, Debug)]
pub struct AccountRow {
    pub id: ServiceAccountId,
    pub name: String,
    pub role: Role,
    /// The name of its maker.
    pub created_by: String,
    pub created_at: Micros,
}

/// # Errors
/// `Conflict("service_accounts_name")` when the workspace has one of this name.
pub async fn insert(
    tx: &mut AuthTx,
    scope: &WorkspaceScope,
    id: ServiceAccountId,
    name: &str,
    role: Role,
    by: UserId,
) -> Result<()> {
    sqlx::query!(
        "insert into auth.service_accounts (workspace_id, id, name, role, created_by) values ($1, $2, $3, $4, $5)",
        scope.workspace_id().0,
        id.0,
        name,
        role.as_str(),
        by.0
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// All that were not removed, by name.
pub async fn list(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<Vec<AccountRow>> {
    let rows = sqlx::query!(
        "select a.id, a.name, a.role, u.name as created_by, a.created_at
         from auth.service_accounts a
         join auth.users u on u.id = a.created_by
         where a.workspace_id = $1
           and a.removed_at is null
         order by lower(a.name), a.id",
        scope.workspace_id().0
    )
    .fetch_all(tx.conn())
    .await?;
    let accounts = rows.into_iter().map(|r| AccountRow {
        id: ServiceAccountId(r.id),
        name: r.name,
        role: role(&r.role),
        created_by: r.created_by,
        created_at: micros(r.created_at),
    });
    Ok(accounts.collect())
}

pub async fn count(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<i64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from auth.service_accounts where workspace_id = $1 and removed_at is null"#,
        scope.workspace_id().0
    )
    .fetch_one(tx.conn())
    .await?;
    Ok(count)
}

/// Name and role of one that was not removed; `None` for another workspace's as for none.
pub async fn find(tx: &mut AuthTx, scope: &WorkspaceScope, id: ServiceAccountId) -> Result<Option<(String, Role)>> {
    let row = sqlx::query!(
        "select name, role from auth.service_accounts where workspace_id = $1 and id = $2 and removed_at is null",
        scope.workspace_id().0,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| (r.name, role(&r.role))))
}

/// Takes one out of the workspace: its tokens open nothing from the commit on. What it did stays in the log.
///
/// # Errors
/// `NotFound` when it was removed, is another workspace's, or never was.
pub async fn remove(tx: &mut AuthTx, scope: &WorkspaceScope, id: ServiceAccountId) -> Result<()> {
    let gone = sqlx::query!(
        "update auth.service_accounts
         set removed_at = now()
         where workspace_id = $1
           and id = $2
           and removed_at is null",
        scope.workspace_id().0,
        id.0
    )
    .execute(tx.conn())
    .await?;
    if gone.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}
