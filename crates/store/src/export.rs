//! All that a workspace has, row by row, for the file that its owner takes away. Tables are found in the catalogue, so that a
//! new one is in the file without a word here: every tenant table that members may read. The rest is bronze, whose payloads
//! members never read; an owner gets its bodies through a function of their own.
//!
//! Rows come through a cursor of the reader's own transaction, all of one moment, so many at a time.

use crate::at::micros;
use crate::{Result, StoreError, WorkspaceTx};
use clarity_domain::time::Micros;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

/// Read by [`fetch_chunks`], decoded.
const CHUNKS: &str = "sample_chunks";

/// A segment of bronze as it was received.
#[derive(Clone, Debug)]
pub struct BronzeSegment {
    pub source: Uuid,
    pub epoch: i32,
    pub first_seq: i64,
    pub event_count: i32,
    pub received_at: Micros,
    pub hash: Vec<u8>,
    /// Newline-delimited JSON under zstd.
    pub body: Vec<u8>,
}

/// Where a reader of bronze is: after this segment.
pub type BronzePlace = (Uuid, i32, i64);

/// A reader may be slow: the transaction waits so long for it, and no longer.
pub async fn be_patient(tx: &mut WorkspaceTx) -> Result<()> {
    sqlx::query!(r#"select set_config('idle_in_transaction_session_timeout', '60s', true) as "set""#)
        .fetch_one(tx.conn())
        .await?;
    Ok(())
}

/// The tables of [`fetch_rows`], by name.
pub async fn list_tables(tx: &mut WorkspaceTx) -> Result<Vec<String>> {
    let names = sqlx::query_scalar!(
        r#"select c.relname::text as "name!"
           from pg_class c
           where c.relnamespace = 'public'::regnamespace
             and c.relkind in ('r', 'p')
             and not c.relispartition
             and c.relname <> 'sample_chunks'
             and exists (select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenant_boundary')
             and has_table_privilege(c.oid, 'select')
           order by c.relname"#
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(names)
}

/// Opens a table, after [`list_tables`]; the one before is closed.
///
/// # Errors
/// `Corrupt` for a name that no table of ours has.
pub async fn open_rows(tx: &mut WorkspaceTx, table: &str) -> Result<()> {
    let plain = table.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !plain || table.is_empty() {
        return Err(StoreError::Corrupt("pg_class.relname"));
    }
    open(tx, "row_to_json(t)::text", table).await
}

/// Opens the chunks of samples.
pub async fn open_chunks(tx: &mut WorkspaceTx) -> Result<()> {
    open(tx, "t.stream_id, t.body", CHUNKS).await
}

/// A cursor takes no arguments: its words are ours, and the workspace is a UUID.
async fn open(tx: &mut WorkspaceTx, columns: &str, table: &str) -> Result<()> {
    let workspace = tx.workspace();
    sqlx::query("close all").persistent(false).execute(tx.conn()).await?;
    let sql = format!(
        "declare export_rows no scroll cursor for
         select {columns} from public.{table} t where t.workspace_id = '{workspace}'"
    );
    sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(tx.conn()).await?;
    Ok(())
}

/// The next rows of the open table, as JSON; none at its end.
pub async fn fetch_rows(tx: &mut WorkspaceTx) -> Result<Vec<String>> {
    let rows: Vec<(String,)> =
        sqlx::query_as("fetch 100 from export_rows").persistent(false).fetch_all(tx.conn()).await?;
    Ok(rows.into_iter().map(|(row,)| row).collect())
}

/// The next chunks: of which stream, and the body that `crates/series` reads; none at the end.
pub async fn fetch_chunks(tx: &mut WorkspaceTx) -> Result<Vec<(Uuid, Vec<u8>)>> {
    Ok(sqlx::query_as("fetch 4 from export_rows").persistent(false).fetch_all(tx.conn()).await?)
}

/// The next segments after this place.
///
/// # Errors
/// `Refused` for anybody but an owner.
pub async fn list_bronze(tx: &mut WorkspaceTx, after: Option<BronzePlace>) -> Result<Vec<BronzeSegment>> {
    let (source, epoch, first_seq) = after.map_or((None, None, None), |(s, e, f)| (Some(s), Some(e), Some(f)));
    let rows = sqlx::query!(
        r#"select source_id as "source_id!", epoch as "epoch!", first_seq as "first_seq!", event_count as "event_count!",
                  received_at as "received_at!", hash as "hash!", body as "body!"
           from export_bronze($1, $2, $3, 8)"#,
        source,
        epoch,
        first_seq
    )
    .fetch_all(tx.conn())
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| BronzeSegment {
            source: r.source_id,
            epoch: r.epoch,
            first_seq: r.first_seq,
            event_count: r.event_count,
            received_at: micros(r.received_at),
            hash: r.hash,
            body: r.body,
        })
        .collect())
}
