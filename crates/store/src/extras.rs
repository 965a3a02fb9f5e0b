//! Typed extras: the catalogue of fields that no mapping names, and their values in records. (In samples they are columns
//! of the chunks.)

use crate::Result;
use crate::at::timestamp;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::StreamId;
use clarity_domain::time::Micros;

/// A field that was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenPath {
    /// `column`, or `column.json.path`.
    pub path: String,
    /// `float`, `integer`, `boolean`, `text`, `time` or `json`.
    pub value_type: &'static str,
    pub count: i64,
    /// Column of the chunks, for telemetry.
    pub metric_number: Option<i32>,
}

/// Adds to the catalogue; each path and type once.
pub async fn count_paths(tx: &mut WorkspaceTx, stream: StreamId, seen: &[SeenPath], at: Micros) -> Result<()> {
    if seen.is_empty() {
        return Ok(());
    }
    let workspace = tx.workspace();
    let paths: Vec<&str> = seen.iter().map(|s| s.path.as_str()).collect();
    let types: Vec<&str> = seen.iter().map(|s| s.value_type).collect();
    let counts: Vec<i64> = seen.iter().map(|s| s.count).collect();
    let metrics: Vec<Option<i32>> = seen.iter().map(|s| s.metric_number).collect();
    sqlx::query!(
        "insert into extra_paths (workspace_id, stream_id, path, value_type, first_seen_at, last_seen_at, count, metric_number)
         select $1, $2, p.path, p.value_type, $3, $3, p.count, p.metric_number
         from unnest($4::text[], $5::text[], $6::bigint[], $7::int[]) as p (path, value_type, count, metric_number)
         on conflict (workspace_id, stream_id, path, value_type) do update
         set last_seen_at = greatest(extra_paths.last_seen_at, excluded.last_seen_at),
             count = extra_paths.count + excluded.count,
             metric_number = coalesce(extra_paths.metric_number, excluded.metric_number)",
        workspace,
        stream.0,
        timestamp(at),
        &paths as &[&str],
        &types as &[&str],
        &counts,
        &metrics as &[Option<i32>]
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// A typed value.
#[derive(Clone, Debug, PartialEq)]
pub enum ExtraValue {
    Number(f64),
    Text(String),
    Boolean(bool),
    Time(Micros),
}

/// A field's value in a record.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordExtra {
    pub key: String,
    pub path: String,
    pub value: ExtraValue,
}

/// Replaces the values of these records.
pub async fn replace(tx: &mut WorkspaceTx, stream: StreamId, keys: &[&str], extras: &[RecordExtra]) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "delete from record_extras where workspace_id = $1 and stream_id = $2 and key = any($3)",
        workspace,
        stream.0,
        keys as &[&str]
    )
    .execute(tx.conn())
    .await?;
    if extras.is_empty() {
        return Ok(());
    }
    let of = |pick: fn(&RecordExtra) -> &str| extras.iter().map(pick).collect::<Vec<&str>>();
    let numbers: Vec<Option<f64>> =
        extras.iter().map(|e| if let ExtraValue::Number(n) = e.value { Some(n) } else { None }).collect();
    let texts: Vec<Option<&str>> =
        extras.iter().map(|e| if let ExtraValue::Text(t) = &e.value { Some(t.as_str()) } else { None }).collect();
    let booleans: Vec<Option<bool>> =
        extras.iter().map(|e| if let ExtraValue::Boolean(b) = e.value { Some(b) } else { None }).collect();
    let times: Vec<Option<time::OffsetDateTime>> =
        extras.iter().map(|e| if let ExtraValue::Time(t) = e.value { Some(timestamp(t)) } else { None }).collect();
    sqlx::query!(
        "insert into record_extras (workspace_id, stream_id, key, path, number, text_value, boolean_value, time_value)
         select $1, $2, e.key, e.path, e.number, e.text_value, e.boolean_value, e.time_value
         from unnest($3::text[], $4::text[], $5::float8[], $6::text[], $7::boolean[], $8::timestamptz[])
              as e (key, path, number, text_value, boolean_value, time_value)
         on conflict do nothing",
        workspace,
        stream.0,
        &of(|e| &e.key) as &[&str],
        &of(|e| &e.path) as &[&str],
        &numbers as &[Option<f64>],
        &texts as &[Option<&str>],
        &booleans as &[Option<bool>],
        &times as &[Option<time::OffsetDateTime>]
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Removes the values of all records of a stream.
pub async fn clear(tx: &mut WorkspaceTx, stream: StreamId) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!("delete from record_extras where workspace_id = $1 and stream_id = $2", workspace, stream.0)
        .execute(tx.conn())
        .await?;
    Ok(())
}
