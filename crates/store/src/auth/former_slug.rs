//! The addresses of workspaces: changing one, and those that it had before.
//!
//! An address that a workspace has left stays its own: members are led on from it, and nobody else gets it. A deleted
//! workspace's are nobody's for a year.

use crate::scope::WorkspaceScope;
use crate::{AuthTx, Result};
use clarity_domain::ids::UserId;

/// Nobody else takes or leaves this address until the transaction ends: statements after it see what others did.
pub async fn hold(tx: &mut AuthTx, slug: &str) -> Result<()> {
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('slug ' || $1::text, 0))::text", slug)
        .fetch_one(tx.conn())
        .await?;
    Ok(())
}

/// The address that the workspace has now.
pub async fn get_current(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<String> {
    Ok(sqlx::query_scalar!("select slug from auth.workspaces where id = $1", scope.workspace_id().0)
        .fetch_one(tx.conn())
        .await?)
}

/// The addresses that the workspace had before and has no more, the last one first.
pub async fn list(tx: &mut AuthTx, scope: &WorkspaceScope) -> Result<Vec<String>> {
    Ok(sqlx::query_scalar!(
        "select f.slug
         from auth.former_slugs f
         join auth.workspaces w on w.id = f.workspace_id
         where f.workspace_id = $1
           and f.slug <> w.slug
         order by f.left_at desc, f.slug",
        scope.workspace_id().0
    )
    .fetch_all(tx.conn())
    .await?)
}

/// The address now of the workspace that had this one, when this person is a member of it.
pub async fn find(tx: &mut AuthTx, user: UserId, slug: &str) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        "select w.slug
         from auth.former_slugs f
         join auth.workspaces w on w.id = f.workspace_id
         join auth.memberships m on m.workspace_id = w.id
         where f.slug = $1
           and m.user_id = $2",
        slug,
        user.0
    )
    .fetch_optional(tx.conn())
    .await?)
}

/// Gives the workspace another address and keeps the one it has as a former one; `false`, and nothing changed, when the new one
/// is or was somebody else's. The caller has locked the workspace and holds both.
pub async fn change(tx: &mut AuthTx, scope: &WorkspaceScope, from: &str, to: &str) -> Result<bool> {
    let workspace = scope.workspace_id().0;
    let changed = sqlx::query!(
        "update auth.workspaces
         set slug = $2::text
         where id = $1
           and not exists (select from auth.workspaces o where o.slug = $2::text)
           and not exists (select from auth.former_slugs f where f.slug = $2::text and f.workspace_id <> $1)
           and not exists (
             select from auth.deleted_slugs r
             where r.slug_hash = sha256(convert_to($2::text, 'UTF8'))
               and r.deleted_at > now() - interval '1 year'
           )
           and not exists (
             select from auth.deleted_workspaces d
             where d.slug_hash = sha256(convert_to($2::text, 'UTF8'))
               and (d.finished_at is null or d.finished_at > now() - interval '1 year')
           )",
        workspace,
        to
    )
    .execute(tx.conn())
    .await?;
    if changed.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query!(
        "insert into auth.former_slugs (slug, workspace_id)
         values ($1, $2)
         on conflict (slug) do update set left_at = now() where former_slugs.workspace_id = excluded.workspace_id",
        from,
        workspace
    )
    .execute(tx.conn())
    .await?;
    Ok(true)
}
