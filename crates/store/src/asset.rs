//! Assets: the machines, found by the key that the sources write and carried in chunks by their number.

use crate::tx::WorkspaceTx;
use crate::{Result, StoreError};
use clarity_domain::ids::{AssetId, SiteId};
use std::collections::HashMap;
use uuid::Uuid;

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asset {
    pub id: AssetId,
    pub number: i32,
    /// As the sources write it.
    pub key: String,
    pub name: String,
    pub line: String,
    pub model: String,
    pub site_id: Option<SiteId>,
    /// The time zone of its site; of the workspace's first site where none is known.
    pub time_zone: String,
}

/// All assets, by number.
pub async fn list(tx: &mut WorkspaceTx) -> Result<Vec<Asset>> {
    read(tx, None).await
}

/// One machine. `None` for another workspace's as for none.
pub async fn find(tx: &mut WorkspaceTx, id: AssetId) -> Result<Option<Asset>> {
    Ok(read(tx, Some(id)).await?.pop())
}

/// All, or the one of this id.
async fn read(tx: &mut WorkspaceTx, id: Option<AssetId>) -> Result<Vec<Asset>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select a.id, a.number, a.key, a.name, a.line, a.model, a.site_id,
                  coalesce(s.time_zone, f.time_zone, 'UTC') as "time_zone!"
           from assets a
           left join sites s on s.workspace_id = a.workspace_id and s.id = a.site_id
           left join (
             select time_zone from sites where workspace_id = $1 order by created_at, id limit 1
           ) f on true
           where a.workspace_id = $1
             and ($2::uuid is null or a.id = $2)
           order by a.number"#,
        workspace,
        id.map(|id| id.0)
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| Asset {
            id: AssetId(r.id),
            number: r.number,
            key: r.key,
            name: r.name,
            line: r.line,
            model: r.model,
            site_id: r.site_id.map(SiteId),
            time_zone: r.time_zone,
        })
        .collect())
}

/// The numbers of these keys, in their order; keys never seen get the next free numbers.
pub async fn register(tx: &mut WorkspaceTx, keys: &[String]) -> Result<Vec<i32>> {
    let workspace = tx.workspace();
    // Numbers are dense and given once: one writer at a time.
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('assets ' || $1::uuid::text, 0))::text", workspace)
        .fetch_one(tx.conn())
        .await?;
    let ids: Vec<Uuid> = keys.iter().map(|_| Uuid::now_v7()).collect();
    sqlx::query!(
        "insert into assets (workspace_id, id, number, key, name)
         select $1, n.id, (select coalesce(max(number), 0) from assets where workspace_id = $1)
                          + (row_number() over (order by n.ordinal))::int, n.key, n.key
         from unnest($2::uuid[], $3::text[]) with ordinality as n (id, key, ordinal)
         where not exists (select from assets a where a.workspace_id = $1 and a.key = n.key)",
        workspace,
        &ids,
        keys
    )
    .execute(tx.conn())
    .await?;
    Ok(sqlx::query_scalar!(
        "select a.number
         from unnest($2::text[]) with ordinality as n (key, ordinal)
         join assets a on a.workspace_id = $1 and a.key = n.key
         order by n.ordinal",
        workspace,
        keys
    )
    .fetch_all(tx.conn())
    .await?)
}

/// What a record about a machine says of it. `None` leaves what is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    pub key: String,
    pub name: Option<String>,
    pub line: Option<String>,
    pub site: Option<String>,
    pub model: Option<String>,
}

/// Describes assets that are registered; sites that are new are made with the time zone of the
/// workspace's first one.
pub async fn describe(tx: &mut WorkspaceTx, descriptions: &[Description]) -> Result<()> {
    let workspace = tx.workspace();
    // In order of name and key, so that two sources' transactions lock in the same order.
    let mut sites: Vec<String> = descriptions.iter().filter_map(|d| d.site.clone()).filter(|s| !s.is_empty()).collect();
    sites.sort_unstable();
    sites.dedup();
    let ids: Vec<Uuid> = sites.iter().map(|_| Uuid::now_v7()).collect();
    sqlx::query!(
        "insert into sites (workspace_id, id, name, time_zone)
         select $1, n.id, n.name,
                coalesce((select time_zone from sites where workspace_id = $1 order by created_at, id limit 1), 'UTC')
         from unnest($2::uuid[], $3::text[]) as n (id, name)
         on conflict (workspace_id, name) do nothing",
        workspace,
        &ids,
        &sites
    )
    .execute(tx.conn())
    .await?;
    let mut sorted: Vec<&Description> = descriptions.iter().collect();
    sorted.sort_by(|a, b| a.key.cmp(&b.key));
    let column = |pick: fn(&Description) -> Option<String>| sorted.iter().map(|d| pick(d)).collect::<Vec<_>>();
    let keys: Vec<String> = sorted.iter().map(|d| d.key.clone()).collect();
    sqlx::query!(
        "update assets a
         set name = coalesce(nullif(d.name, ''), a.name), line = coalesce(d.line, a.line),
             model = coalesce(d.model, a.model), site_id = coalesce(s.id, a.site_id)
         from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as d (key, name, line, site, model)
         left join sites s on s.workspace_id = $1 and s.name = d.site
         where a.workspace_id = $1 and a.key = d.key",
        workspace,
        &keys,
        &column(|d| d.name.clone()) as &[Option<String>],
        &column(|d| d.line.clone()) as &[Option<String>],
        &column(|d| d.site.clone()) as &[Option<String>],
        &column(|d| d.model.clone()) as &[Option<String>]
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Puts a machine at a site, or at none. What its source says of it later is said anew.
///
/// # Errors
/// `NotFound` for a machine that is not there; `Conflict` for a site that is not.
pub async fn set_site(tx: &mut WorkspaceTx, id: AssetId, site: Option<SiteId>) -> Result<()> {
    let workspace = tx.workspace();
    let done = sqlx::query!(
        "update assets set site_id = $3 where workspace_id = $1 and id = $2",
        workspace,
        id.0,
        site.map(|site| site.0)
    )
    .execute(tx.conn())
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(StoreError::NotFound) }
}

/// The numbers of those of these keys that are known.
pub async fn find_numbers(tx: &mut WorkspaceTx, keys: &[String]) -> Result<HashMap<String, i32>> {
    let workspace = tx.workspace();
    let rows =
        sqlx::query!("select key, number from assets where workspace_id = $1 and key = any($2)", workspace, keys)
            .fetch_all(tx.conn())
            .await?;
    Ok(rows.into_iter().map(|r| (r.key, r.number)).collect())
}
