//! What follows from the images of rows: typed extras, state intervals, descriptions of machines.

use super::cast::{float_is_exact, parse_float, parse_time, time_of};
use super::flatten::{Leaf, flatten};
use super::layout::Layout;
use clarity_domain::mapping::{ColumnType, MappingSpec};
use clarity_domain::state::StateCategory;
use clarity_store::asset::Description;
use clarity_store::extras::{ExtraValue, RecordExtra, SeenPath};
use clarity_store::record::Record;
use clarity_store::state::StateRow;
use clarity_store::{StoreError, WorkspaceTx, asset};
use clarity_wire::body::Cell;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

/// Typed values of a record that are indexed; the image has all.
const MAX_VALUES: usize = 64;
/// Texts beyond this are in the image only.
const MAX_TEXT_BYTES: usize = 1_000;

/// The typed fields of records that no part of the mapping takes, and their counts by path and type.
pub fn extras(layout: &Layout, records: &[&Record]) -> (Vec<RecordExtra>, Vec<SeenPath>) {
    let mut values = Vec::new();
    let mut seen: BTreeMap<(String, &'static str), i64> = BTreeMap::new();
    for record in records {
        let Some(image) = &record.image else { continue };
        let mut left = MAX_VALUES;
        for (i, column) in layout.columns.iter().enumerate() {
            if layout.key.contains(&i) || is_mapped(&layout.spec, &column.name) {
                continue;
            }
            let Some(value) = image.get(&column.name).filter(|v| !v.is_null()) else { continue };
            let mut keep = |path: &str, value_type: &'static str, value: ExtraValue| {
                *seen.entry((path.to_owned(), value_type)).or_default() += 1;
                let short = !matches!(&value, ExtraValue::Text(t) if t.len() > MAX_TEXT_BYTES);
                if left > 0 && short {
                    left -= 1;
                    values.push(RecordExtra { key: record.key.clone(), path: path.to_owned(), value });
                }
            };
            typed(&column.name, column.of, value, &mut keep);
        }
    }
    let seen = seen
        .into_iter()
        .map(|((path, value_type), count)| SeenPath { path, value_type, count, metric_number: None })
        .collect();
    (values, seen)
}

fn is_mapped(spec: &MappingSpec, column: &str) -> bool {
    let parts = [&spec.asset, &spec.time, &spec.asset_name, &spec.asset_line, &spec.asset_site, &spec.asset_model];
    let state = spec.states.as_ref();
    parts.into_iter().flatten().any(|c| c == column)
        || state.is_some_and(|s| s.state == column || s.reason.as_deref() == Some(column))
}

fn typed(path: &str, of: ColumnType, value: &Value, keep: &mut dyn FnMut(&str, &'static str, ExtraValue)) {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match of {
        ColumnType::Json => flatten(path, &text, &mut |path, leaf| match leaf {
            Leaf::Null => {}
            Leaf::Float(n) => keep(path, "float", ExtraValue::Number(n)),
            Leaf::Int(n) => keep(path, "integer", ExtraValue::Number(n as f64)),
            Leaf::Bool(b) => keep(path, "boolean", ExtraValue::Boolean(b)),
            Leaf::Text(text) => keep(path, "text", ExtraValue::Text(text)),
            Leaf::Json(text) => keep(path, "json", ExtraValue::Text(text)),
        }),
        ColumnType::Boolean if value.is_boolean() => {
            keep(path, "boolean", ExtraValue::Boolean(value.as_bool().unwrap_or_default()));
        }
        ColumnType::Integer | ColumnType::Number => match parse_float(&text) {
            Some(n) if float_is_exact(&text) => {
                let value_type = if of == ColumnType::Integer { "integer" } else { "float" };
                keep(path, value_type, ExtraValue::Number(n));
            }
            _ => keep(path, "text", ExtraValue::Text(text)),
        },
        ColumnType::Time => match time_of(&Cell::Text(text.as_str().into())) {
            Some(at) => keep(path, "time", ExtraValue::Time(at)),
            None => keep(path, "text", ExtraValue::Text(text)),
        },
        ColumnType::Boolean | ColumnType::Text | ColumnType::Uuid | ColumnType::Other => {
            keep(path, "text", ExtraValue::Text(text));
        }
    }
}

/// A column of an image as text; `None` for null and for what is not there.
fn text_at(image: &Map<String, Value>, column: Option<&String>) -> Option<String> {
    match image.get(column?)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A state row without its asset's number.
pub fn state_of(spec: &MappingSpec, record: &Record) -> Option<(String, StateRow)> {
    let image = record.image.as_ref()?;
    let columns = spec.states.as_ref()?;
    let time = image.get(spec.time.as_ref()?)?;
    let from = match time {
        Value::String(text) => parse_time(text)?,
        Value::Number(n) => time_of(&Cell::Int(n.as_i64()?))?,
        _ => return None,
    };
    let state = text_at(image, Some(&columns.state))?;
    let row = StateRow {
        source_key: record.key.clone(),
        asset_number: 0,
        from,
        category: StateCategory::guess(&state),
        state,
        reason: text_at(image, columns.reason.as_ref()),
        epoch: record.epoch,
        seq: record.seq,
    };
    Some((text_at(image, spec.asset.as_ref())?, row))
}

/// What records say of machines' states.
pub async fn states(
    tx: &mut WorkspaceTx,
    spec: &MappingSpec,
    records: &[&Record],
) -> Result<Vec<StateRow>, StoreError> {
    let rows: Vec<(String, StateRow)> = records.iter().filter_map(|r| state_of(spec, r)).collect();
    let numbers = numbers(tx, rows.iter().map(|r| r.0.clone())).await?;
    Ok(rows
        .into_iter()
        .filter_map(|(asset, row)| Some(StateRow { asset_number: *numbers.get(&asset)?, ..row }))
        .collect())
}

/// What records say of the machines themselves.
pub async fn describe_assets(tx: &mut WorkspaceTx, spec: &MappingSpec, records: &[&Record]) -> Result<(), StoreError> {
    let mut descriptions: Vec<Description> = Vec::new();
    for record in records {
        let Some(image) = &record.image else { continue };
        let Some(key) = text_at(image, spec.asset.as_ref()).filter(|k| !k.is_empty()) else { continue };
        descriptions.push(Description {
            key,
            name: text_at(image, spec.asset_name.as_ref()),
            line: text_at(image, spec.asset_line.as_ref()),
            site: text_at(image, spec.asset_site.as_ref()),
            model: text_at(image, spec.asset_model.as_ref()),
        });
    }
    numbers(tx, descriptions.iter().map(|d| d.key.clone())).await?;
    asset::describe(tx, &descriptions).await
}

async fn numbers(tx: &mut WorkspaceTx, keys: impl Iterator<Item = String>) -> Result<HashMap<String, i32>, StoreError> {
    let mut keys: Vec<String> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let mut numbers = asset::find_numbers(tx, &keys).await?;
    keys.retain(|k| !numbers.contains_key(k));
    if !keys.is_empty() {
        let new = asset::register(tx, &keys).await?;
        numbers.extend(keys.into_iter().zip(new));
    }
    Ok(numbers)
}
