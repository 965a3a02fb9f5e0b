//! Mappings: how a stream is read. A row is never changed; an edit is a new version with the sequence from which it holds.

use crate::Result;
use crate::error::StoreError;
use crate::refine::Place;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::{SourceId, StreamId};
use clarity_domain::mapping::MappingSpec;
use uuid::Uuid;

/// A version of a stream's mapping.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    pub stream_id: StreamId,
    pub version: i32,
    /// It holds for events from here on.
    pub from: Place,
    pub spec: MappingSpec,
}

/// All versions of all streams of a source, ascending.
pub async fn list(tx: &mut WorkspaceTx, source: SourceId) -> Result<Vec<Mapping>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select m.stream_id, m.version, m.from_epoch, m.from_seq, m.spec
         from mappings m
         join streams s on s.workspace_id = m.workspace_id and s.id = m.stream_id
         where m.workspace_id = $1 and s.source_id = $2
         order by m.stream_id, m.version",
        workspace,
        source.0
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|r| {
            Ok(Mapping {
                stream_id: StreamId(r.stream_id),
                version: r.version,
                from: Place { epoch: r.from_epoch, seq: r.from_seq },
                spec: serde_json::from_value(r.spec).map_err(|_| StoreError::Corrupt("mappings.spec"))?,
            })
        })
        .collect()
}

/// Keeps the mapping inferred for a stream that has none.
pub async fn keep_inferred(tx: &mut WorkspaceTx, stream: StreamId, spec: &MappingSpec) -> Result<()> {
    let spec = serde_json::to_value(spec).map_err(|_| StoreError::Corrupt("mapping"))?;
    let workspace = tx.workspace();
    sqlx::query!(
        "insert into mappings (workspace_id, id, stream_id, version, from_epoch, from_seq, spec)
         select $1, $2, $3, 1, 0, 0, $4
         where not exists (select from mappings where workspace_id = $1 and stream_id = $3)
         on conflict (workspace_id, stream_id, version) do nothing",
        workspace,
        Uuid::now_v7(),
        stream.0,
        spec
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Adds a version that holds from a place on.
pub async fn add(tx: &mut WorkspaceTx, stream: StreamId, from: Place, spec: &MappingSpec) -> Result<i32> {
    let spec = serde_json::to_value(spec).map_err(|_| StoreError::Corrupt("mapping"))?;
    let workspace = tx.workspace();
    Ok(sqlx::query_scalar!(
        "insert into mappings (workspace_id, id, stream_id, version, from_epoch, from_seq, spec)
         select $1, $2, $3, 1 + coalesce(max(version), 0), $4, $5, $6
         from mappings
         where workspace_id = $1 and stream_id = $3
         returning version",
        workspace,
        Uuid::now_v7(),
        stream.0,
        from.epoch,
        from.seq,
        spec
    )
    .fetch_one(tx.conn())
    .await?)
}
