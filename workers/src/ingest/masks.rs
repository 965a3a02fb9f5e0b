//! What an agent masks: its part of the workspace's policies, by the names that it knows. A connection says it at its
//! beginning and again when it has changed.

use super::Ingest;
use clarity_domain::ids::SourceId;
use clarity_store::{StoreError, WorkspaceScope, WorkspaceTx, masking};
use clarity_wire::frame::{Mask, Masks, SourceCursor};
use std::collections::HashMap;

/// What a connection has said to its agent.
pub(super) struct Told {
    /// The agent's names of its sources.
    sources: HashMap<SourceId, String>,
    version: i64,
}

impl Told {
    /// Of an agent with these sources: what it has to mask now.
    pub(super) async fn begin(tx: &mut WorkspaceTx, sources: &[SourceCursor]) -> Result<(Self, Masks), StoreError> {
        let sources = sources.iter().map(|source| (source.source_id, source.name.clone())).collect();
        let mut told = Self { sources, version: 0 };
        let masks = told.read(tx).await?;
        Ok((told, masks))
    }

    /// What it has to mask from now on, if that is not what it was told.
    pub(super) async fn news(&mut self, ingest: &Ingest, scope: &WorkspaceScope) -> Result<Option<Masks>, StoreError> {
        // Nothing is written: version and list are of one moment, and no commit is waited for.
        let mut tx = ingest.store.begin_read(scope).await?;
        if masking::find_version(&mut tx).await? == self.version {
            return Ok(None);
        }
        self.read(&mut tx).await.map(Some)
    }

    async fn read(&mut self, tx: &mut WorkspaceTx) -> Result<Masks, StoreError> {
        let (version, policies) = masking::list_at_agents(tx).await?;
        self.version = version;
        let masks = policies.into_iter().filter_map(|policy| {
            let source = match policy.source_id {
                // Another agent's is nothing to this one.
                Some(id) => Some(self.sources.get(&id)?.clone()),
                None => None,
            };
            Some(Mask { source, stream: policy.stream, field: policy.field, rule: policy.rule })
        });
        Ok(Masks { version: version.max(0).unsigned_abs(), masks: masks.collect() })
    }
}
