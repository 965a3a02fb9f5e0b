//! A writer that changes one table and keeps, outside the database, what it committed.
//!
//! Small and large transactions, some rolled back, some with a savepoint rolled back; rows inserted, updated, deleted,
//! and some given another key; some notes so large that Postgres keeps them out of line, so that an update of the row
//! does not carry them.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tokio::sync::watch;
use tokio_postgres::Client;

use super::changes::Change;
use crate::cluster::connect;
use crate::plant::Dice;

/// Live rows are kept between these.
const FEW: usize = 500;
const MANY: usize = 20_000;
/// Rows of a large transaction, at most.
const LARGE: usize = 6_000;
const LARGE_NOTE_BYTES: usize = 3_000;

#[derive(Clone, Debug)]
pub struct Write {
    pub url: String,
    /// The ledger file; lines are added to it.
    pub out: PathBuf,
    pub seconds: Option<u64>,
    /// Stop after so many transactions.
    pub transactions: Option<u64>,
    /// Transactions a second, at most.
    pub rate: u32,
    pub seed: u64,
}

#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Written {
    pub committed: u64,
    pub rolled_back: u64,
    pub changes: u64,
    pub large: u64,
    /// Commits whose answer was lost, and that were asked for afterwards.
    pub asked: u64,
    pub live_rows: u64,
}

/// Makes the table. Does nothing where it is there.
pub async fn init(client: &Client) -> Result<()> {
    let sql = "create table if not exists ledger (
                 id bigserial primary key,
                 key int not null,
                 version int not null,
                 note text
               );
               alter table ledger alter column note set storage external;
               comment on table ledger is 'Changes that a test keeps count of.';";
    client.batch_execute(sql).await.context("cannot make the ledger's table")
}

/// Writes until told to stop.
pub async fn write(write: Write, stop: watch::Receiver<bool>) -> Result<Written> {
    let file = OpenOptions::new().create(true).append(true).open(&write.out);
    let file = file.with_context(|| format!("cannot open {}", write.out.display()))?;
    let client = connect(&write.url).await?;
    let rows = client.query("select id, version::bigint from ledger", &[]).await.context("was `init` run?")?;
    let live: BTreeMap<i64, i64> = rows.iter().map(|r| (r.get(0), r.get(1))).collect();
    let seed = Dice::new(write.seed, &[live.len() as u64]);
    let mut writer =
        Writer { client, url: write.url, file: BufWriter::new(file), live, dice: seed, written: Written::default() };
    let started = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / write.rate.max(1));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let ended = |w: &Written| {
        *stop.borrow()
            || write.seconds.is_some_and(|s| started.elapsed() >= Duration::from_secs(s))
            || write.transactions.is_some_and(|t| w.committed + w.rolled_back >= t)
    };
    while !ended(&writer.written) {
        ticks.tick().await;
        writer.transaction().await?;
    }
    writer.file.flush()?;
    writer.file.get_ref().sync_all()?;
    writer.written.live_rows = writer.live.len() as u64;
    Ok(writer.written)
}

struct Writer {
    client: Client,
    url: String,
    file: BufWriter<File>,
    /// Id to version, of what is committed.
    live: BTreeMap<i64, i64>,
    dice: Dice,
    written: Written,
}

/// What a transaction has done so far.
struct Open {
    xid: u64,
    changes: Vec<Change>,
    live: BTreeMap<i64, Option<i64>>,
}

impl Writer {
    async fn transaction(&mut self) -> Result<()> {
        let large = self.dice.below(12) == 0;
        let rolled_back = self.dice.below(10) == 0;
        let savepoint = self.dice.below(8) == 0;
        self.client.batch_execute("begin").await?;
        // Not `::xid8`: the driver knows no such type.
        let xid: String = self.client.query_one("select pg_current_xact_id()::text", &[]).await?.get(0);
        let mut open = Open { xid: xid.parse()?, changes: Vec::new(), live: BTreeMap::new() };
        let steps = if large { 2 } else { 1 + self.dice.below(4) };
        for _ in 0..steps {
            let rows = if large { 1 + self.dice.below(LARGE) } else { 1 + self.dice.below(3) };
            self.step(&mut open, rows).await?;
        }
        if savepoint {
            let mut undone = Open { xid: open.xid, changes: Vec::new(), live: open.live.clone() };
            self.client.batch_execute("savepoint s").await?;
            self.step(&mut undone, 20).await?;
            self.client.batch_execute("rollback to savepoint s").await?;
        }
        if rolled_back {
            self.client.batch_execute("rollback").await?;
            self.written.rolled_back += 1;
            return Ok(());
        }
        if self.client.batch_execute("commit").await.is_err() && !self.ask(open.xid).await? {
            self.written.rolled_back += 1;
            return Ok(());
        }
        self.keep(open, large)
    }

    /// The committed changes into the file, whole transactions only.
    fn keep(&mut self, open: Open, large: bool) -> Result<()> {
        for change in &open.changes {
            serde_json::to_writer(&mut self.file, change)?;
            self.file.write_all(b"\n")?;
        }
        self.file.flush()?;
        for (id, version) in open.live {
            match version {
                Some(version) => self.live.insert(id, version),
                None => self.live.remove(&id),
            };
        }
        self.written.committed += 1;
        self.written.large += u64::from(large);
        self.written.changes += open.changes.len() as u64;
        Ok(())
    }

    /// The connection was lost at the commit: did it happen?
    async fn ask(&mut self, xid: u64) -> Result<bool> {
        self.written.asked += 1;
        let started = Instant::now();
        loop {
            if let Ok(client) = connect(&self.url).await {
                self.client = client;
                let sql = "select pg_xact_status($1::text::xid8)::text";
                let status: Option<String> = self.client.query_one(sql, &[&xid.to_string()]).await?.get(0);
                match status.as_deref() {
                    Some("committed") => return Ok(true),
                    Some("aborted") => return Ok(false),
                    _ => {}
                }
            }
            if started.elapsed() > Duration::from_secs(120) {
                bail!("the customer's database does not say whether transaction {xid} was committed");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn step(&mut self, open: &mut Open, rows: usize) -> Result<()> {
        let mut ids: Vec<i64> = self.live.keys().copied().filter(|id| !open.live.contains_key(id)).collect();
        let choice = self.dice.below(100);
        if ids.len() < FEW || (choice < 30 && ids.len() < MANY) {
            return self.insert(open, rows).await;
        }
        // A run of neighbours, as a person's `where` gives them.
        let start = self.dice.below(ids.len());
        ids.rotate_left(start);
        ids.truncate(rows);
        match choice {
            0..75 => self.update(open, &ids).await,
            75..82 => self.rename(open, &ids).await,
            _ => self.delete(open, &ids).await,
        }
    }

    async fn insert(&mut self, open: &mut Open, rows: usize) -> Result<()> {
        let seed = self.dice.next_u64() as i64;
        let rows = rows as i64;
        let bytes = LARGE_NOTE_BYTES as i32;
        let sql = "insert into ledger (key, version, note)
                   select n, 1, case when n % 40 = 0
                     then (select string_agg(md5(($2::bigint # n # i)::text), '') from generate_series(1, $3::int / 32) i)
                     else 'note ' || n end
                   from generate_series(1, $1::bigint) n returning id";
        for row in self.client.query(sql, &[&rows, &seed, &bytes]).await? {
            self.changed(open, 'i', row.get(0), 1);
        }
        Ok(())
    }

    async fn update(&mut self, open: &mut Open, ids: &[i64]) -> Result<()> {
        let noted = self.dice.below(4) == 0;
        let sql = "update ledger set version = version + 1,
                     note = case when $2 then 'version ' || (version + 1) else note end
                   where id = any($1) returning id, version::bigint";
        for row in self.client.query(sql, &[&ids, &noted]).await? {
            self.changed(open, 'u', row.get(0), row.get(1));
        }
        Ok(())
    }

    /// Gives rows another key.
    async fn rename(&mut self, open: &mut Open, ids: &[i64]) -> Result<()> {
        let sql = "update ledger set id = nextval('ledger_id_seq'), version = version + 1
                   where id = $1 returning id, version::bigint";
        for id in ids.iter().take(10) {
            if let Some(row) = self.client.query_opt(sql, &[id]).await? {
                open.live.insert(*id, None);
                self.changed(open, 'u', row.get(0), row.get(1));
            }
        }
        Ok(())
    }

    async fn delete(&mut self, open: &mut Open, ids: &[i64]) -> Result<()> {
        let sql = "delete from ledger where id = any($1) returning id";
        for row in self.client.query(sql, &[&ids]).await? {
            let id = row.get(0);
            open.live.insert(id, None);
            open.changes.push(Change { xid: open.xid, op: 'd', id, version: 0 });
        }
        Ok(())
    }

    fn changed(&self, open: &mut Open, op: char, id: i64, version: i64) {
        open.live.insert(id, Some(version));
        open.changes.push(Change { xid: open.xid, op, id, version });
    }
}
