//! Records: the current image of each row of a source, with the sequence that made it.

use crate::Result;
use crate::at::{micros, timestamp};
use crate::error::StoreError;
use crate::tx::WorkspaceTx;
use clarity_domain::ids::StreamId;
use clarity_domain::time::Micros;
use serde_json::{Map, Value};

/// The state of one key.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub key: String,
    /// Column and value as the source wrote it; `None`: deleted.
    pub image: Option<Map<String, Value>>,
    pub epoch: i32,
    pub seq: i64,
    /// Transaction that made it; 0 when a snapshot chunk did.
    pub xid: u64,
    /// Columns that no event has carried yet.
    pub missing: Vec<String>,
    pub changed_at: Micros,
}

/// The records of these keys, those that exist. Their rows are written by one transaction at a time: that which holds the
/// source's cursor.
pub async fn load(tx: &mut WorkspaceTx, stream: StreamId, keys: &[String]) -> Result<Vec<Record>> {
    read(tx, stream, Some(keys)).await
}

/// All records of a stream.
pub async fn list(tx: &mut WorkspaceTx, stream: StreamId) -> Result<Vec<Record>> {
    read(tx, stream, None).await
}

async fn read(tx: &mut WorkspaceTx, stream: StreamId, keys: Option<&[String]>) -> Result<Vec<Record>> {
    let workspace = tx.workspace();
    let rows = sqlx::query!(
        "select key, image, epoch, seq, xid, missing, changed_at
         from records
         where workspace_id = $1 and stream_id = $2 and ($3::text[] is null or key = any($3))",
        workspace,
        stream.0,
        keys
    )
    .fetch_all(tx.conn())
    .await?;
    rows.into_iter()
        .map(|r| {
            let image = match r.image {
                None => None,
                Some(Value::Object(image)) => Some(image),
                Some(_) => return Err(StoreError::Corrupt("records.image")),
            };
            Ok(Record {
                key: r.key,
                image,
                epoch: r.epoch,
                seq: r.seq,
                xid: r.xid as u64,
                missing: r.missing,
                changed_at: micros(r.changed_at),
            })
        })
        .collect()
}

/// Writes records as they are given, each key once.
pub async fn write(tx: &mut WorkspaceTx, stream: StreamId, records: &[&Record]) -> Result<()> {
    if records.is_empty() {
        return Ok(());
    }
    let workspace = tx.workspace();
    let keys: Vec<&str> = records.iter().map(|r| r.key.as_str()).collect();
    let images: Vec<Option<String>> = records
        .iter()
        .map(|r| r.image.as_ref().map(serde_json::to_string).transpose())
        .collect::<Result<_, _>>()
        .map_err(|_| StoreError::Corrupt("record"))?;
    let epochs: Vec<i32> = records.iter().map(|r| r.epoch).collect();
    let seqs: Vec<i64> = records.iter().map(|r| r.seq).collect();
    let xids: Vec<i64> = records.iter().map(|r| r.xid as i64).collect();
    let missing: Vec<String> = records
        .iter()
        .map(|r| serde_json::to_string(&r.missing))
        .collect::<Result<_, _>>()
        .map_err(|_| StoreError::Corrupt("record"))?;
    let changed: Vec<_> = records.iter().map(|r| timestamp(r.changed_at)).collect();
    sqlx::query!(
        "insert into records (workspace_id, stream_id, key, image, epoch, seq, xid, missing, changed_at)
         select $1, $2, r.key, r.image::jsonb, r.epoch, r.seq, r.xid,
                case when r.missing = '[]' then '{}' else array(select jsonb_array_elements_text(r.missing::jsonb)) end,
                r.changed_at
         from unnest($3::text[], $4::text[], $5::int[], $6::bigint[], $7::bigint[], $8::text[], $9::timestamptz[])
              as r (key, image, epoch, seq, xid, missing, changed_at)
         on conflict (workspace_id, stream_id, key) do update
         set image = excluded.image, epoch = excluded.epoch, seq = excluded.seq, xid = excluded.xid,
             missing = excluded.missing, changed_at = excluded.changed_at",
        workspace,
        stream.0,
        &keys as &[&str],
        &images as &[Option<String>],
        &epochs,
        &seqs,
        &xids,
        &missing,
        &changed
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Makes every record of a stream a tombstone.
pub async fn truncate(
    tx: &mut WorkspaceTx,
    stream: StreamId,
    epoch: i32,
    seq: i64,
    xid: u64,
    at: Micros,
) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query!(
        "update records
         set image = null, missing = '{}', epoch = $3, seq = $4, xid = $5, changed_at = $6
         where workspace_id = $1 and stream_id = $2 and image is not null and (epoch, seq) < ($3, $4)",
        workspace,
        stream.0,
        epoch,
        seq,
        xid as i64,
        timestamp(at)
    )
    .execute(tx.conn())
    .await?;
    Ok(())
}
