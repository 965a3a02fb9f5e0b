//! What masking has to know of streams: whose they are, what they are called, and every way they were ever read.

use crate::{Result, StoreError, WorkspaceTx};
use clarity_domain::ids::{SourceId, StreamId};
use clarity_domain::mapping::MappingSpec;

/// A stream with all versions of its mapping, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamFields {
    pub id: StreamId,
    pub source_id: SourceId,
    pub name: String,
    pub specs: Vec<MappingSpec>,
}

/// All streams of the workspace.
pub async fn list(tx: &mut WorkspaceTx) -> Result<Vec<StreamFields>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        r#"select t.id, t.source_id, t.name,
                  (select jsonb_agg(m.spec order by m.version)
                   from mappings m
                   where m.workspace_id = $1 and m.stream_id = t.id) as specs
         from streams t
         where t.workspace_id = $1
         order by t.id"#,
        workspace
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|r| {
            let specs = r.specs.map(serde_json::from_value).transpose();
            Ok(StreamFields {
                id: StreamId(r.id),
                source_id: SourceId(r.source_id),
                name: r.name,
                specs: specs.map_err(|_| StoreError::Corrupt("mappings.spec"))?.unwrap_or_default(),
            })
        })
        .collect()
}
