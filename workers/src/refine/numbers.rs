//! The workspace's numbers for assets and fields of a group: looked up, given to new ones, put into the rows.

use super::catalog::Catalog;
use super::decode::Decoded;
use super::prepare::{PreparedSamples, prepare};
use super::samples::Field;
use clarity_domain::ids::StreamId;
use clarity_series::Rows;
use clarity_store::metric::NewMetric;
use clarity_store::{StoreError, WorkspaceTx, asset, metric};

/// Samples of one stream, numbered as they came.
pub struct Part {
    stream: StreamId,
    name: String,
    rows: Rows,
    assets: Vec<String>,
    fields: Vec<Field>,
}

/// Takes the samples out of what was decoded.
pub fn take(decoded: &mut Decoded) -> Vec<Part> {
    let mut parts = Vec::new();
    for batch in &mut decoded.streams {
        let Some(samples) = batch.samples.take() else { continue };
        let (rows, assets, fields) = samples.finish();
        parts.push(Part { stream: batch.id(), name: batch.view.name.clone(), rows, assets, fields });
    }
    parts
}

/// Fields of a part that have no number yet.
fn new_fields<'a>(catalog: &Catalog, part: &'a Part) -> Vec<&'a Field> {
    let known = catalog.streams.get(&part.name).map(|view| &view.known.numbers);
    let is_new = |f: &&Field| known.is_none_or(|k| !k.contains_key(&(f.path.clone(), f.sample_type)));
    part.fields.iter().filter(is_new).collect()
}

/// Whether every asset and field has its number.
pub fn are_known(catalog: &Catalog, parts: &[Part]) -> bool {
    parts.iter().all(|p| catalog.unknown_assets(&p.assets).is_empty() && new_fields(catalog, p).is_empty())
}

/// Gives numbers to new assets and fields. They are given once: doing it for events that are never refined harms nothing.
pub async fn register(tx: &mut WorkspaceTx, catalog: &mut Catalog, parts: &[Part]) -> Result<(), StoreError> {
    for part in parts {
        let unknown = catalog.unknown_assets(&part.assets);
        if !unknown.is_empty() {
            let numbers = asset::register(tx, &unknown).await?;
            catalog.assets.extend(unknown.into_iter().zip(numbers));
        }
        let new = new_fields(catalog, part);
        if new.is_empty() {
            continue;
        }
        let metric = |f: &&Field| NewMetric {
            column_name: f.path.clone(),
            name: f.name.clone(),
            unit: f.unit.clone(),
            sample_type: f.sample_type,
            extra: f.extra,
        };
        let metrics: Vec<NewMetric> = new.iter().map(metric).collect();
        let numbers = metric::register(tx, part.stream, &metrics).await?;
        let learned = new.iter().zip(numbers).map(|(f, n)| ((f.path.clone(), f.sample_type), n, f.extra)).collect();
        catalog.learn_fields(&part.name, learned);
    }
    Ok(())
}

/// For reading only: numbers that nobody has, for what the workspace does not know.
pub fn pretend(catalog: &mut Catalog, parts: &[Part]) {
    const FREE: i32 = 1_000_000_000;
    for part in parts {
        for key in catalog.unknown_assets(&part.assets) {
            catalog.assets.insert(key, FREE + catalog.assets.len() as i32);
        }
        let learned: Vec<_> = new_fields(catalog, part)
            .iter()
            .enumerate()
            .map(|(i, f)| ((f.path.clone(), f.sample_type), FREE + i as i32, f.extra))
            .collect();
        catalog.learn_fields(&part.name, learned);
    }
}

/// Numbers, computes and encodes, off the async threads.
pub async fn encode(parts: Vec<Part>, catalog: &Catalog) -> anyhow::Result<Vec<PreparedSamples>> {
    let mut jobs = Vec::with_capacity(parts.len());
    for part in parts {
        let known = catalog.streams.get(&part.name).map(|view| &view.known.numbers);
        let assets: Vec<i32> = part.assets.iter().filter_map(|k| catalog.assets.get(k).copied()).collect();
        let number = |f: &Field| known.and_then(|k| k.get(&(f.path.clone(), f.sample_type)).copied());
        let numbers: Vec<i32> = part.fields.iter().filter_map(number).collect();
        anyhow::ensure!(assets.len() == part.assets.len() && numbers.len() == part.fields.len(), "a number is missing");
        jobs.push((part, assets, numbers));
    }
    let prepared = tokio::task::spawn_blocking(move || {
        jobs.into_iter()
            .map(|(part, assets, numbers)| prepare(part.stream, part.rows, &assets, &part.fields, &numbers))
            .collect::<Result<Vec<PreparedSamples>, _>>()
    });
    Ok(prepared.await??)
}
