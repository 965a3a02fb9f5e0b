//! Waiting until what was written is durable, snapshots have ended, and refine has caught up.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use serde::Serialize;
use tokio_postgres::Client;

use super::bronze::Source;

/// How long to wait, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Settle {
    pub limit: Duration,
    /// Also until refine has taken all of bronze.
    pub refined: bool,
}

/// How long it took from the end of writing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Settled {
    pub durable_ms: u64,
    pub refined_ms: u64,
}

impl Settle {
    /// Ends the customer's log with a heartbeat of our own, and waits until that is durable: what was committed before it
    /// has come the same way, in order, and so is durable too.
    pub async fn wait(&self, platform: &Client, customer: &Client, source: &Source) -> Result<Settled> {
        let started = Instant::now();
        let end = self.end(customer).await?;
        let mut settled = Settled::default();
        loop {
            let waiting = match self.undurable(platform, customer, source, end).await? {
                Some(waiting) => waiting,
                None => {
                    if settled.durable_ms == 0 {
                        settled.durable_ms = started.elapsed().as_millis() as u64;
                    }
                    let Some(waiting) = self.unrefined(platform, source).await? else {
                        settled.refined_ms = started.elapsed().as_millis() as u64;
                        return Ok(settled);
                    };
                    waiting
                }
            };
            if started.elapsed() > self.limit {
                bail!("waited {} s in vain: {waiting}", self.limit.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Where the heartbeat stands in the log. None without a slot: then nobody reads the log.
    async fn end(&self, customer: &Client) -> Result<Option<i64>> {
        let sql = "select exists (select from pg_replication_slots
                                  where database = current_database() and slot_type = 'logical' and not temporary)";
        if !customer.query_one(sql, &[]).await?.get::<_, bool>(0) {
            return Ok(None);
        }
        let sql = "select (pg_logical_emit_message(true, 'clarity', 'settled') - '0/0'::pg_lsn)::bigint";
        Ok(Some(customer.query_one(sql, &[]).await?.get(0)))
    }

    /// What is not durable yet.
    async fn undurable(
        &self,
        platform: &Client,
        customer: &Client,
        source: &Source,
        end: Option<i64>,
    ) -> Result<Option<String>> {
        if let Some(end) = end {
            let sql = "select (position->>'commit_lsn')::bigint from source_cursors where source_id = $1::text::uuid";
            let at: Option<i64> = platform.query_one(sql, &[&source.id]).await?.get(0);
            if at.is_none_or(|at| at < end) {
                return Ok(Some(format!("durable up to {} of the customer's log, not to {end}", at.unwrap_or(0))));
            }
        }
        if let Some(table) = self.without_snapshot(platform, customer, source).await? {
            return Ok(Some(format!("the snapshot of {table} has not ended")));
        }
        Ok(None)
    }

    /// How far refine is behind, where that is asked for.
    async fn unrefined(&self, platform: &Client, source: &Source) -> Result<Option<String>> {
        if !self.refined {
            return Ok(None);
        }
        let sql = "select c.epoch, c.next_seq, r.epoch, r.next_seq
                   from source_cursors c
                   left join refine_cursors r on r.workspace_id = c.workspace_id and r.source_id = c.source_id
                   where c.source_id = $1::text::uuid and (r.epoch, r.next_seq) is distinct from (c.epoch, c.next_seq)";
        Ok(platform.query_opt(sql, &[&source.id]).await?.map(|row| {
            let (epoch, next): (i32, i64) = (row.get(0), row.get(1));
            let (refined_epoch, refined): (Option<i32>, Option<i64>) = (row.get(2), row.get(3));
            format!("refine is at {refined_epoch:?}/{refined:?}, bronze ends at {epoch}/{next}")
        }))
    }

    /// A published table whose snapshot has not ended, by the agent's durable position. One that has not begun is not
    /// in there.
    async fn without_snapshot(&self, platform: &Client, customer: &Client, source: &Source) -> Result<Option<String>> {
        let sql = "select t.key from source_cursors c, jsonb_each(c.position->'tables') t
                   where c.source_id = $1::text::uuid and (t.value->>'done')::boolean";
        let rows = platform.query(sql, &[&source.id]).await?;
        let done: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        let sql = "select distinct schemaname || '.' || tablename from pg_publication_tables
                   where pubname like 'clarity%' order by 1";
        let published = customer.query(sql, &[]).await?;
        Ok(published.iter().map(|row| row.get::<_, String>(0)).find(|table| !done.contains(table)))
    }
}
