//! The rows that are there already, read beside the stream in chunks by primary key.
//!
//! Each chunk is one query in a transaction that also asks for `pg_current_snapshot()`: readers tell by it which
//! streamed changes a chunk's rows already include. Progress stands in the position of each block, so a restart goes on
//! after the last spooled row. Rows that moved meanwhile are read again (see `position::Moved`). A chunk is read to its end before it is handed on, so that no transaction of ours stays
//! open at the customer's while our side waits; only a table without a key, which cannot be cut, is read in one go.

use super::assemble::{BLOCK_BYTES, BLOCK_EVENTS, Draft};
use super::catalog::{Catalog, TableColumn};
use super::config::PostgresConfig;
use super::confirm::now_us;
use super::connect::connect;
use super::encode::{self, Shape};
use super::flow::Flow;
use super::heartbeat;
use super::position::{Moved, MovedRow, Settled, Step, TableProgress};
use super::problems::{self, ident, literal};
use super::setup::Table;
use super::watch::Problems;
use crate::masks::SourceMasks;
use crate::sources::SourceError;
use clarity_wire::body::{BodyHeader, BodyWriter, Op, SnapshotChunk};
use clarity_wire::limits::{MAX_EVENT_BYTES, WINDOW_BYTES};
use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_postgres::{Client, SimpleQueryMessage, SimpleQueryRow};
use tokio_util::sync::CancellationToken;

const CHUNK_BYTES: u64 = 4 << 20;
const CHUNK_ROWS: u64 = 10_000;
const FIRST_CHUNK_ROWS: u64 = 256;
/// A busy stream makes a chunk wait at most so long: the snapshot slows down, but ends.
const STREAM_FIRST: Duration = Duration::from_millis(250);

/// A table's snapshot to take, or to go on with.
#[derive(Clone, Debug)]
pub struct Job {
    pub table: Table,
    pub progress: TableProgress,
    /// Transactions before this id must have ended: they may have written before the table was published.
    pub barrier_xid: Option<u64>,
}

pub struct Snapshot<'a> {
    pub config: &'a PostgresConfig,
    pub flow: &'a Flow,
    /// See `setup::Server`.
    pub raw_text: bool,
    pub masks: &'a SourceMasks,
    pub problems: &'a Problems,
    pub drafts: mpsc::Sender<Draft>,
    pub shutdown: CancellationToken,
    /// Called with each progress.
    pub report: &'a (dyn Fn(&Job, &TableProgress) + Send + Sync),
}

/// The rows of one chunk, as drafts that end on a row each.
struct Chunk {
    drafts: Vec<Draft>,
    rows: u64,
    bytes: u64,
}

impl Snapshot<'_> {
    /// Takes the table's snapshot to its end, keeping `job.progress` up to date.
    pub async fn table(&self, job: &mut Job) -> Result<(), SourceError> {
        let client = Arc::new(connect(self.config, "snapshot").await?);
        if self.raw_text {
            let set = client.batch_execute("set client_encoding = 'SQL_ASCII'").await;
            set.map_err(|e| self.failed(&job.table, &e))?;
        }
        let mut catalog = Catalog::new(client.clone(), self.masks.clone());
        self.wait_for_barrier(&client, job).await?;
        let mut rows_wanted = FIRST_CHUNK_ROWS;
        loop {
            self.wait_for_turn().await;
            if self.shutdown.is_cancelled() {
                return Ok(());
            }
            let columns = self.columns(&catalog, &job.table).await?;
            let described = catalog.table_shape(&job.table.name(), &columns, job.table.full_old_row).await;
            let shape = described.map_err(|e| self.failed(&job.table, &e))?;
            self.problems.of_masks(&shape);
            let key = key_of(&columns);
            let names: Vec<String> = key.iter().map(|&i| columns[i].name.clone()).collect();
            let anew = self.moved(job).too_many;
            if shape.masks_key()
                && let Some(last_key) = job.progress.last_key.take()
            {
                job.progress.held_key = Some(last_key);
            }
            // Rows were read, and nobody knows how far: the key may not be written down, or may be again.
            let lost = job.progress.rows > 0 && job.progress.after().is_none();
            if job.progress.key != names || anew || lost {
                job.progress = TableProgress { key: names, ..TableProgress::default() };
            }
            if anew {
                self.settle(job, Settled::Anew);
            }
            if key.is_empty() {
                self.whole(&client, job, &columns, &shape).await?;
            } else {
                let sql = chunk_sql(&job.table, &columns, &key, job.progress.after(), rows_wanted);
                let chunk = self.read_chunk(&client, &sql, job, &shape, Some(&key)).await?;
                let last = chunk.rows < rows_wanted;
                let row_bytes = (chunk.bytes / chunk.rows.max(1)).max(1);
                rows_wanted = (CHUNK_BYTES / row_bytes).clamp(16, CHUNK_ROWS);
                self.hand_on_all(chunk, job).await;
                self.read_moved(&client, job, &columns, &shape).await?;
                if !last {
                    continue;
                }
                self.wait_for_log(&client, job).await?;
                if self.moved(job) != Moved::default() {
                    continue;
                }
            }
            if self.shutdown.is_cancelled() {
                return Ok(());
            }
            let mut end = Drafting::new(&shape, String::new(), BodyWriter::default());
            end.writer.begin(Op::SnapshotEnd, 0, now_us(), 0, 0);
            end.writer.count(job.progress.rows);
            end.writer.end();
            let progress = TableProgress { done: true, last_key: None, held_key: None, ..job.progress.clone() };
            self.hand_on(end.cut(&job.table.name(), progress), job).await;
            return Ok(());
        }
    }

    async fn columns(&self, catalog: &Catalog, table: &Table) -> Result<Vec<TableColumn>, SourceError> {
        let mut columns = catalog.columns(table.oid).await.map_err(|e| self.failed(table, &e))?;
        if let Some(published) = &table.columns {
            columns.retain(|c| published.contains(&c.name));
        }
        Ok(columns)
    }

    async fn wait_for_barrier(&self, client: &Client, job: &Job) -> Result<(), SourceError> {
        let Some(barrier) = job.barrier_xid else { return Ok(()) };
        loop {
            let oldest = super::setup::oldest_xid(client).await;
            if oldest.map_err(|e| self.failed(&job.table, &e))? >= barrier {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
                () = self.shutdown.cancelled() => return Ok(()),
            }
        }
    }

    /// Streamed changes go first, and at most half of the window is ours.
    async fn wait_for_turn(&self) {
        let since = Instant::now();
        loop {
            let crowded = self.flow.undurable().1 > WINDOW_BYTES / 2;
            let behind = self.flow.busy.load(Ordering::Relaxed) && since.elapsed() < STREAM_FIRST;
            if self.shutdown.is_cancelled() || !(crowded || behind) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Reads rows that moved once more, by the keys that they have now.
    async fn read_moved(
        &self,
        client: &Client,
        job: &mut Job,
        columns: &[TableColumn],
        shape: &Shape,
    ) -> Result<(), SourceError> {
        let rows = self.moved(job).rows;
        if rows.is_empty() {
            return Ok(());
        }
        // The log shows a transaction a little before others see it.
        let visible = visible_sql(&rows);
        while !client.query_one(&visible, &[]).await.map_err(|e| self.failed(&job.table, &e))?.get::<_, bool>(0) {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(20)) => {}
                () = self.shutdown.cancelled() => return Ok(()),
            }
        }
        let chunk = self.read_chunk(client, &moved_sql(&job.table, columns, &rows), job, shape, None).await?;
        self.hand_on_all(chunk, job).await;
        if !self.shutdown.is_cancelled() {
            self.settle(job, Settled::Rows(rows.len()));
        }
        Ok(())
    }

    /// Waits until the log tells all that the rows read so far have seen: a row that moved before it was read may be told
    /// of later only.
    async fn wait_for_log(&self, client: &Client, job: &Job) -> Result<(), SourceError> {
        let lsn = super::setup::insert_lsn(client).await.map_err(|e| self.failed(&job.table, &e))?;
        // So that the log's end comes at once; where none can be written, the next keep-alive does.
        heartbeat::emit(client, &self.config.name).await;
        let mut position = self.flow.position.subscribe();
        tokio::select! {
            _ = position.wait_for(|position| position.cursor.safe_lsn >= lsn) => {}
            () = self.shutdown.cancelled() => {}
        }
        Ok(())
    }

    fn moved(&self, job: &Job) -> Moved {
        self.flow.position.borrow().moved(&job.table.name())
    }

    fn settle(&self, job: &Job, settled: Settled) {
        self.flow.position.send_modify(|position| position.settle(&job.table.name(), settled));
    }

    /// Reads what `sql` selects. With the places of `key`, the progress follows the rows.
    async fn read_chunk(
        &self,
        client: &Client,
        sql: &str,
        job: &Job,
        shape: &Shape,
        key: Option<&[usize]>,
    ) -> Result<Chunk, SourceError> {
        let key_of = |row: &SimpleQueryRow| key.map(|key| key.iter().map(|&i| text(row, i)).collect::<Vec<_>>());
        let mut chunk = Chunk { drafts: Vec::new(), rows: 0, bytes: 0 };
        let mut messages = pin!(client.simple_query_raw(sql).await.map_err(|e| self.failed(&job.table, &e))?);
        let mut drafting: Option<Drafting<'_>> = None;
        let mut progress = job.progress.clone();
        while let Some(message) = messages.try_next().await.map_err(|e| self.failed(&job.table, &e))? {
            let SimpleQueryMessage::Row(row) = message else { continue };
            let Some(drafting) = &mut drafting else {
                drafting = Some(Drafting::new(shape, text(&row, 0), BodyWriter::default()));
                continue;
            };
            chunk.bytes += drafting.row(&row);
            chunk.rows += 1;
            progress.rows += 1;
            if let Some(last_key) = key_of(&row) {
                let place = if shape.masks_key() { &mut progress.held_key } else { &mut progress.last_key };
                *place = Some(last_key);
            }
            if drafting.is_full() {
                chunk.drafts.push(drafting.cut(&job.table.name(), progress.clone()));
            }
        }
        if let Some(mut drafting) = drafting
            && !drafting.writer.is_empty()
        {
            chunk.drafts.push(drafting.cut(&job.table.name(), progress));
        }
        Ok(chunk)
    }

    /// A table without a key: one query, which a restart begins anew under another snapshot.
    async fn whole(
        &self,
        client: &Client,
        job: &mut Job,
        columns: &[TableColumn],
        shape: &Shape,
    ) -> Result<(), SourceError> {
        job.progress = TableProgress::default();
        let sql = in_transaction(&select(&job.table, columns));
        let mut messages = pin!(client.simple_query_raw(&sql).await.map_err(|e| self.failed(&job.table, &e))?);
        let mut drafting: Option<Drafting<'_>> = None;
        let mut rows = 0;
        while let Some(message) = messages.try_next().await.map_err(|e| self.failed(&job.table, &e))? {
            let SimpleQueryMessage::Row(row) = message else { continue };
            let Some(drafting) = &mut drafting else {
                drafting = Some(Drafting::new(shape, text(&row, 0), BodyWriter::default()));
                continue;
            };
            drafting.row(&row);
            rows += 1;
            if drafting.is_full() {
                let progress = TableProgress { rows, ..TableProgress::default() };
                self.hand_on(drafting.cut(&job.table.name(), progress), job).await;
                self.wait_for_turn().await;
                if self.shutdown.is_cancelled() {
                    return Ok(());
                }
            }
        }
        if let Some(mut drafting) = drafting
            && !drafting.writer.is_empty()
        {
            let progress = TableProgress { rows, ..TableProgress::default() };
            self.hand_on(drafting.cut(&job.table.name(), progress), job).await;
        }
        Ok(())
    }

    /// Hands the chunk on and waits until its place among the streamed blocks is known, and so the rows that moved before.
    async fn hand_on_all(&self, chunk: Chunk, job: &mut Job) {
        if chunk.drafts.is_empty() {
            return;
        }
        for draft in chunk.drafts {
            self.hand_on(draft, job).await;
        }
        let (table, mut position) = (job.table.name(), self.flow.position.subscribe());
        tokio::select! {
            _ = position.wait_for(|position| position.tables.get(&table) == Some(&job.progress)) => {}
            () = self.shutdown.cancelled() => {}
        }
    }

    async fn hand_on(&self, draft: Draft, job: &mut Job) {
        let Step::Table(_, progress) = &draft.step else { return };
        let progress = progress.clone();
        if self.drafts.send(draft).await.is_err() {
            // The source is stopping; what is not handed on is read again.
            return self.shutdown.cancel();
        }
        (self.report)(job, &progress);
        job.progress = progress;
    }

    fn failed(&self, table: &Table, error: &tokio_postgres::Error) -> SourceError {
        if error.code() == Some(&tokio_postgres::error::SqlState::INSUFFICIENT_PRIVILEGE) {
            return problems::select_grant(self.config, &table.schema, &table.table).into();
        }
        let mut problem = problems::of_error(self.config, error, &format!("reading {}", table.name()));
        problem.fatal = false;
        problem.into()
    }
}

/// Rows into drafts.
struct Drafting<'a> {
    writer: BodyWriter,
    shape: &'a Shape,
    snapshot: String,
    read_us: i64,
}

impl<'a> Drafting<'a> {
    fn new(shape: &'a Shape, snapshot: String, writer: BodyWriter) -> Self {
        Self { writer, shape, snapshot, read_us: now_us() }
    }

    /// Writes a row; returns the size of its line.
    fn row(&mut self, row: &SimpleQueryRow) -> u64 {
        let w = &mut self.writer;
        w.begin(Op::Read, 0, self.read_us, 0, 0);
        w.chunk(0);
        w.row();
        let mut unreadable = None;
        for (i, &kind) in self.shape.kinds.iter().enumerate() {
            match row.try_get(i) {
                Ok(Some(text)) => {
                    encode::cell_of(w, self.shape, i, kind, text.as_bytes());
                }
                Ok(None) => w.cell_null(),
                // What is no text cannot be masked otherwise.
                Err(_) if self.shape.masks.as_ref().is_some_and(|masks| masks.of(i).is_some()) => w.cell_null(),
                Err(_) => {
                    unreadable.get_or_insert(i);
                    w.cell_absent();
                }
            }
        }
        w.end_cells();
        if let Some(i) = unreadable {
            return self.poison(row, i);
        }
        let size = w.end();
        if size <= MAX_EVENT_BYTES { size as u64 } else { self.stub(row, size) }
    }

    /// The row without the cell that is not UTF-8.
    fn poison(&mut self, row: &SimpleQueryRow, column: usize) -> u64 {
        let w = &mut self.writer;
        w.take_back();
        w.begin(Op::Poison, 0, self.read_us, 0, 0);
        w.chunk(0);
        w.row();
        for (i, &kind) in self.shape.kinds.iter().enumerate() {
            match row.try_get(i) {
                Ok(Some(text)) if text.len() <= 4096 => {
                    encode::cell_of(w, self.shape, i, kind, text.as_bytes());
                }
                Ok(None) => w.cell_null(),
                _ => w.cell_absent(),
            }
        }
        w.end_cells();
        let name = self.shape.schema.columns.get(column).map_or("?", |c| c.name.as_str());
        w.message(&format!("column {name} is not UTF-8"));
        w.end() as u64
    }

    fn stub(&mut self, row: &SimpleQueryRow, size: usize) -> u64 {
        let w = &mut self.writer;
        w.take_back();
        w.begin(Op::Stub, 0, self.read_us, 0, 0);
        w.chunk(0);
        w.old();
        let mut hash = Sha256::new();
        for (i, (column, &kind)) in self.shape.schema.columns.iter().zip(&self.shape.kinds).enumerate() {
            let text = row.try_get(i).ok().flatten();
            hash.update(text.unwrap_or_default());
            match text {
                Some(text) if column.key && text.len() <= 4096 => {
                    encode::cell_of(w, self.shape, i, kind, text.as_bytes());
                }
                _ => w.cell_absent(),
            }
        }
        w.end_cells();
        w.count(size as u64);
        // As of a streamed row: where something is masked, no hash of it all.
        if self.shape.masks.is_some() {
            w.message("masked");
        } else {
            w.message(&format!("sha256:{}", hex::encode(hash.finalize())));
        }
        w.end();
        size as u64
    }

    fn is_full(&self) -> bool {
        self.writer.len() >= BLOCK_BYTES || self.writer.events() >= BLOCK_EVENTS
    }

    fn cut(&mut self, table: &str, progress: TableProgress) -> Draft {
        let chunk = SnapshotChunk { stream: 0, snapshot: self.snapshot.clone() };
        let chunks = if self.snapshot.is_empty() { Vec::new() } else { vec![chunk] };
        Draft {
            writer: std::mem::take(&mut self.writer),
            header: BodyHeader { v: 1, streams: vec![self.shape.schema.clone()], chunks },
            step: Step::Table(table.to_owned(), progress),
            last_commit_us: None,
        }
    }
}

fn text(row: &SimpleQueryRow, column: usize) -> String {
    row.try_get(column).ok().flatten().unwrap_or_default().to_owned()
}

/// Places of the key's columns, in the key's order.
fn key_of(columns: &[TableColumn]) -> Vec<usize> {
    let mut key: Vec<usize> = (0..columns.len()).filter(|&i| columns[i].key_place.is_some()).collect();
    key.sort_by_key(|&i| columns[i].key_place);
    key
}

fn select(table: &Table, columns: &[TableColumn]) -> String {
    let names: Vec<String> = columns.iter().map(|c| ident(&c.name)).collect();
    // The log carries rows of child tables under the child's own name, but partitions under the root's.
    let only = if table.partitioned { "" } else { "only " };
    let filter = table.row_filter.as_ref().map_or_else(String::new, |f| format!(" where ({f})"));
    format!("select {} from {only}{}{filter}", names.join(", "), table.quoted())
}

fn chunk_sql(table: &Table, columns: &[TableColumn], key: &[usize], after: Option<&[String]>, limit: u64) -> String {
    let names: Vec<String> = key.iter().map(|&i| ident(&columns[i].name)).collect();
    let names = names.join(", ");
    let mut sql = select(table, columns);
    if let Some(after) = after {
        let values: Vec<String> = key.iter().zip(after).map(|(&i, v)| value(v, &columns[i])).collect();
        sql = format!("{sql} {} ({names}) > ({})", and(table), values.join(", "));
    }
    in_transaction(&format!("{sql} order by {names} limit {limit}"))
}

/// The rows with these keys; a key of columns that are gone finds none.
fn moved_sql(table: &Table, columns: &[TableColumn], rows: &[MovedRow]) -> String {
    let equal = |(name, text): (&String, &String)| {
        let column = columns.iter().find(|c| c.name == *name)?;
        Some(format!("{} = {}", ident(name), value(text, column)))
    };
    let wanted = rows.iter().filter_map(|row| {
        let cells: Option<Vec<String>> = row.key.iter().map(equal).collect();
        cells.filter(|cells| !cells.is_empty()).map(|cells| format!("({})", cells.join(" and ")))
    });
    let wanted: Vec<String> = wanted.chain(["false".to_owned()]).collect();
    in_transaction(&format!("{} {} ({})", select(table, columns), and(table), wanted.join(" or ")))
}

/// Whether a snapshot taken from now on sees the transactions that moved the rows.
fn visible_sql(rows: &[MovedRow]) -> String {
    let xids: Vec<String> = rows.iter().map(|row| format!("'{}'", row.xid)).collect();
    format!(
        "select bool_and(pg_visible_in_snapshot(x::text::xid8, pg_current_snapshot())) from unnest(array[{}]) x",
        xids.join(", ")
    )
}

fn and(table: &Table) -> &'static str {
    if table.row_filter.is_some() { "and" } else { "where" }
}

fn value(text: &str, column: &TableColumn) -> String {
    format!("{}::{}", literal(text), column.sql_type)
}

fn in_transaction(query: &str) -> String {
    format!("begin isolation level repeatable read read only; select pg_current_snapshot()::text; {query}; commit")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, sql_type: &str, key_place: Option<i32>) -> TableColumn {
        let sql_type = sql_type.to_owned();
        TableColumn { name: name.into(), type_oid: 25, type_modifier: -1, sql_type, comment: None, key_place }
    }

    #[test]
    fn a_chunk_goes_on_after_the_last_key_in_the_keys_order() {
        let columns = [column("b", "text", Some(1)), column("v", "text", None), column("a", "integer", Some(0))];
        let table = Table {
            oid: 1,
            schema: "public".into(),
            table: "t\"x".into(),
            partitioned: false,
            rows_estimated: None,
            identified: true,
            full_old_row: false,
            readable: true,
            owned: false,
            columns: None,
            row_filter: Some("v > 'a'".into()),
        };
        let key = key_of(&columns);
        assert_eq!(key, [2, 0]);
        let sql = chunk_sql(&table, &columns, &key, Some(&["7".into(), "it's \\".into()]), 100);
        assert_eq!(
            sql,
            "begin isolation level repeatable read read only; select pg_current_snapshot()::text; \
             select \"b\", \"v\", \"a\" from only \"public\".\"t\"\"x\" where (v > 'a') and (\"a\", \"b\") > \
             ('7'::integer, E'it''s \\\\'::text) order by \"a\", \"b\" limit 100; commit"
        );
    }
}
