//! Metrics: what is measured, carried in chunks by number.

use crate::Result;
use crate::error::StoreError;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::{SourceId, StreamId};
use clarity_domain::mapping::SampleType;
use uuid::Uuid;

/// A field of a stream's samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    pub number: i32,
    pub stream_id: StreamId,
    /// The column at the source, or a path into its JSON.
    pub column_name: String,
    pub name: String,
    pub unit: String,
    pub sample_type: SampleType,
    /// No mapping names it: kept as a typed extra, without rollups.
    pub extra: bool,
}

/// All metrics, by number.
pub async fn list(tx: &mut WorkspaceTx) -> Result<Vec<Metric>> {
    read(tx, None).await
}

/// Those of one source's streams.
pub async fn list_of_source(tx: &mut WorkspaceTx, source: SourceId) -> Result<Vec<Metric>> {
    read(tx, Some(source)).await
}

async fn read(tx: &mut WorkspaceTx, source: Option<SourceId>) -> Result<Vec<Metric>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select m.number, m.stream_id, m.column_name, m.name, m.unit, m.sample_type, m.extra
         from metrics m
         join streams s on s.workspace_id = m.workspace_id and s.id = m.stream_id
         where m.workspace_id = $1 and ($2::uuid is null or s.source_id = $2)
         order by m.number",
        workspace,
        source.map(|s| s.0)
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Metric {
                number: r.number,
                stream_id: StreamId(r.stream_id),
                column_name: r.column_name,
                name: r.name,
                unit: r.unit,
                sample_type: SampleType::parse(&r.sample_type).ok_or(StoreError::Corrupt("metrics.sample_type"))?,
                extra: r.extra,
            })
        })
        .collect()
}

/// A field to be known from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMetric {
    pub column_name: String,
    pub name: String,
    pub unit: String,
    pub sample_type: SampleType,
    pub extra: bool,
}

/// The numbers of these fields of a stream, in their order; new ones get the next free numbers of the workspace.
pub async fn register(tx: &mut WorkspaceTx, stream: StreamId, metrics: &[NewMetric]) -> Result<Vec<i32>> {
    let workspace = tx.workspace();
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended('metrics ' || $1::uuid::text, 0))::text", workspace)
        .fetch_one(tx.conn())
        .await?;
    let ids: Vec<Uuid> = metrics.iter().map(|_| Uuid::now_v7()).collect();
    let columns: Vec<String> = metrics.iter().map(|m| m.column_name.clone()).collect();
    let names: Vec<String> = metrics.iter().map(|m| m.name.clone()).collect();
    let units: Vec<String> = metrics.iter().map(|m| m.unit.clone()).collect();
    let types: Vec<String> = metrics.iter().map(|m| m.sample_type.as_str().to_owned()).collect();
    let extras: Vec<bool> = metrics.iter().map(|m| m.extra).collect();
    sqlx::query!(
        "insert into metrics (workspace_id, id, number, stream_id, column_name, name, unit, sample_type, extra)
         select $1, n.id, (select coalesce(max(number), 0) from metrics where workspace_id = $1)
                          + (row_number() over (order by n.ordinal))::int,
                $2, n.column_name, n.name, n.unit, n.sample_type, n.extra
         from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::boolean[])
              with ordinality as n (id, column_name, name, unit, sample_type, extra, ordinal)
         where not exists (
           select from metrics m
           where m.workspace_id = $1 and m.stream_id = $2 and m.column_name = n.column_name
             and m.sample_type = n.sample_type)",
        workspace,
        stream.0,
        &ids,
        &columns,
        &names,
        &units,
        &types,
        &extras
    )
    .execute(tx.conn())
    .await?;
    // A field that a later mapping names is no extra any more.
    sqlx::query!(
        "update metrics m
         set extra = false, name = n.name, unit = n.unit
         from unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::boolean[]) as n (column_name, name, unit, sample_type, extra)
         where m.workspace_id = $1 and m.stream_id = $2 and m.column_name = n.column_name
           and m.sample_type = n.sample_type and m.extra and not n.extra",
        workspace,
        stream.0,
        &columns,
        &names,
        &units,
        &types,
        &extras
    )
    .execute(tx.conn())
    .await?;
    Ok(sqlx::query_scalar!(
        "select m.number
         from unnest($3::text[], $4::text[]) with ordinality as n (column_name, sample_type, ordinal)
         join metrics m on m.workspace_id = $1 and m.stream_id = $2 and m.column_name = n.column_name
                       and m.sample_type = n.sample_type
         order by n.ordinal",
        workspace,
        stream.0,
        &columns,
        &types
    )
    .fetch_all(tx.conn())
    .await?)
}
