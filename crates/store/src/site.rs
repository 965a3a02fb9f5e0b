//! Places with machines and a time zone.

use crate::{Result, StoreError, WorkspaceTx};
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    pub id: SiteId,
    pub name: String,
    /// IANA name.
    pub time_zone: String,
}

/// All of them that the scope sees, in the order in which they were added.
pub async fn list(tx: &mut WorkspaceTx) -> Result<Vec<Site>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select id, name, time_zone
         from sites
         where workspace_id = $1
         order by created_at, id",
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows.into_iter().map(|r| Site { id: SiteId(r.id), name: r.name, time_zone: r.time_zone }).collect())
}

/// The site that was there first: machines that no site is known of are there, and new sites begin with its time zone.
pub async fn find_first(tx: &mut WorkspaceTx) -> Result<Option<Site>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        "select id, name, time_zone
         from sites
         where workspace_id = $1
         order by created_at, id
         limit 1",
        workspace
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| Site { id: SiteId(r.id), name: r.name, time_zone: r.time_zone }))
}

/// # Errors
/// `NotFound`; `Conflict("sites_workspace_id_name_key")` when another site has this name.
pub async fn update(tx: &mut WorkspaceTx, id: SiteId, name: &str, time_zone: &str) -> Result<()> {
    let workspace = tx.workspace();
    let done = sqlx::query!(
        "update sites set name = $3, time_zone = $4 where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        name,
        time_zone
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// Whether a day of this machine was cut by a site's clock already.
pub async fn has_days_of(tx: &mut WorkspaceTx, asset_number: i32) -> Result<bool> {
    let workspace = tx.workspace();
    // Stream by stream, as the key of rollups begins.
    Ok(sqlx::query_scalar!(
        r#"select exists (
             select from streams t
             join rollups r on r.workspace_id = $1 and r.stream_id = t.id and r.asset_number = $2 and r.grain = 86400
             where t.workspace_id = $1
           ) as "any!""#,
        workspace,
        asset_number
    )
    .fetch_one(tx.conn())
    .await?)
}

/// Whether a day of some machine was cut by a site's clock already.
pub async fn has_days(tx: &mut WorkspaceTx) -> Result<bool> {
    let workspace = tx.workspace();
    Ok(sqlx::query_scalar!(
        r#"select exists (select from rollups where workspace_id = $1 and grain = 86400) as "any!""#,
        workspace
    )
    .fetch_one(tx.conn())
    .await?)
}

/// A site with what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteUse {
    pub site: Site,
    /// Machines that are said to be there.
    pub machines: i64,
    /// It was there first.
    pub first: bool,
}

/// At most so many, with what hangs on each; the one that was there first at the beginning.
pub async fn list_used(tx: &mut WorkspaceTx, at_most: i64) -> Result<Vec<SiteUse>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select s.id, s.name, s.time_zone,
                  (select count(*) from assets a where a.workspace_id = $1 and a.site_id = s.id) as "machines!"
         from sites s
         where s.workspace_id = $1
         order by s.created_at, s.id
         limit $2"#,
        workspace,
        at_most
    )
    .fetch_all(tx.conn())
    .await?;
    let sites = rows.into_iter().enumerate().map(|(at, r)| SiteUse {
        site: Site { id: SiteId(r.id), name: r.name, time_zone: r.time_zone },
        machines: r.machines,
        first: at == 0,
    });
    Ok(sites.collect())
}

/// One of them, however many there are. `None` for another workspace's as for none.
pub async fn find_used(tx: &mut WorkspaceTx, id: SiteId) -> Result<Option<SiteUse>> {
    let workspace = tx.workspace();
    let row = sqlx::query!(
        r#"select s.id, s.name, s.time_zone,
                  (select count(*) from assets a where a.workspace_id = $1 and a.site_id = s.id) as "machines!",
                  not exists (
                    select from sites f where f.workspace_id = $1 and (f.created_at, f.id) < (s.created_at, s.id)
                  ) as "first!"
           from sites s
           where s.workspace_id = $1
             and s.id = $2"#,
        workspace,
        id.0
    )
    .fetch_optional(tx.conn())
    .await?;
    Ok(row.map(|r| SiteUse {
        site: Site { id: SiteId(r.id), name: r.name, time_zone: r.time_zone },
        machines: r.machines,
        first: r.first,
    }))
}

/// # Errors
/// `NotFound`; `Conflict` when something refers to it.
pub async fn delete(tx: &mut WorkspaceTx, id: SiteId) -> Result<()> {
    let workspace = tx.workspace();
    let done = sqlx::query!("delete from sites where workspace_id = $1 and id = $2", workspace, id.0)
        .execute(tx.conn())
        .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}
