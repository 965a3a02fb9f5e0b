//! What refine knows of a source between transactions: its streams, their mappings, and the workspace's numbers of assets
//! and fields. Numbers are given once and never change, so keeping them is safe; mappings are counted in every
//! transaction, and read again when there are more.

use super::layout::column_infos;
use super::samples::KnownFields;
use clarity_domain::ids::{SourceId, StreamId};
use clarity_domain::mapping::{SampleType, infer};
use clarity_store::mapping::Mapping;
use clarity_store::refine::Place;
use clarity_store::{StoreError, WorkerStore, WorkspaceScope, WorkspaceTx, mapping, metric, stream};
use clarity_wire::body::StreamSchema;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A stream and how it is read.
#[derive(Clone, Debug)]
pub struct StreamView {
    pub id: StreamId,
    pub name: String,
    /// As last kept.
    pub schema: StreamSchema,
    /// Ascending by version; never empty.
    pub mappings: Vec<Mapping>,
    pub known: Arc<KnownFields>,
    pub truncated_xid: u64,
}

impl StreamView {
    /// The mapping for an event: the highest version that holds from there or before.
    pub fn mapping_at(&self, at: Place) -> &Mapping {
        self.mappings.iter().rev().find(|m| m.from <= at).unwrap_or(&self.mappings[0])
    }

    pub fn mapping_version(&self, version: i32) -> Option<&Mapping> {
        self.mappings.iter().find(|m| m.version == version)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub streams: HashMap<String, Arc<StreamView>>,
    /// Numbers of the assets that occurred, by key.
    pub assets: HashMap<String, i32>,
    pub mappings: i64,
}

impl Catalog {
    /// Reads what is known of a source.
    pub async fn read(tx: &mut WorkspaceTx, source: SourceId) -> Result<Self, StoreError> {
        let mut mappings: HashMap<StreamId, Vec<Mapping>> = HashMap::new();
        let mut count = 0;
        for m in mapping::list(tx, source).await? {
            count += 1;
            mappings.entry(m.stream_id).or_default().push(m);
        }
        let streams = stream::list(tx, source).await?;
        let mut fields: HashMap<StreamId, KnownFields> = HashMap::new();
        for m in metric::list_of_source(tx, source).await? {
            let known = fields.entry(m.stream_id).or_default();
            known.extras += usize::from(m.extra);
            known.numbers.insert((m.column_name, m.sample_type), m.number);
        }
        let mut out = Self { mappings: count, ..Self::default() };
        for s in streams {
            let Some(mappings) = mappings.remove(&s.id) else { continue };
            let schema = serde_json::from_value(s.schema).map_err(|_| StoreError::Corrupt("streams.schema"))?;
            let view = StreamView {
                id: s.id,
                name: s.name.clone(),
                schema,
                mappings,
                known: Arc::new(fields.remove(&s.id).unwrap_or_default()),
                truncated_xid: s.truncated_xid as u64,
            };
            out.streams.insert(s.name, Arc::new(view));
        }
        Ok(out)
    }

    /// Makes sure that every stream that occurs is known, with a mapping, and that the newest schemas are kept. Done in a
    /// transaction of its own, before: doing it twice, or for events that are never refined, harms nothing.
    pub async fn register(
        &mut self,
        store: &WorkerStore,
        scope: &WorkspaceScope,
        source: SourceId,
        schemas: &[StreamSchema],
    ) -> Result<(), StoreError> {
        // Of several schemas of a stream the last is its newest.
        let newest: HashMap<&str, &StreamSchema> = schemas.iter().map(|s| (s.name.as_str(), s)).collect();
        let new: Vec<&StreamSchema> =
            newest.into_values().filter(|s| self.streams.get(&s.name).is_none_or(|v| v.schema != **s)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let mut tx = store.begin(scope).await?;
        for schema in new {
            let value = serde_json::to_value(schema).map_err(|_| StoreError::Corrupt("schema"))?;
            let name = super::cast::clean(&schema.name);
            let id = stream::register(&mut tx, source, &name, &value).await?;
            mapping::keep_inferred(&mut tx, id, &infer(&name, &column_infos(schema))).await?;
        }
        let assets = std::mem::take(&mut self.assets);
        *self = Self::read(&mut tx, source).await?;
        self.assets = assets;
        tx.commit().await
    }

    pub fn unknown_assets(&self, keys: &[String]) -> Vec<String> {
        let mut unknown: Vec<String> = keys.iter().filter(|k| !self.assets.contains_key(*k)).cloned().collect();
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }

    /// Adds fields that were registered for a stream.
    pub fn learn_fields(&mut self, stream: &str, learned: Vec<((String, SampleType), i32, bool)>) {
        let Some(view) = self.streams.get_mut(stream) else { return };
        let view = Arc::make_mut(view);
        let mut known = KnownFields { numbers: view.known.numbers.clone(), extras: view.known.extras };
        let before: HashSet<(String, SampleType)> = known.numbers.keys().cloned().collect();
        for (field, number, extra) in learned {
            known.extras += usize::from(extra && !before.contains(&field));
            known.numbers.insert(field, number);
        }
        view.known = Arc::new(known);
    }
}
