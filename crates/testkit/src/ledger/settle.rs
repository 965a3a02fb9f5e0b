//! Waiting until what was written is durable, snapshots have ended, and refine has caught up.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio_postgres::Client;

use super::bronze::Source;

/// How long to wait, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Settle {
    pub limit: Duration,
    /// Also until refine has taken all of bronze.
    pub refined: bool,
}

impl Settle {
    /// Takes the end of the customer's log now, and waits until the slot says that everything before it is durable.
    pub async fn wait(&self, platform: &Client, customer: &Client, source: &Source) -> Result<()> {
        let started = Instant::now();
        let end: String = customer.query_one("select pg_current_wal_lsn()::text", &[]).await?.get(0);
        loop {
            let waiting = self.waiting(platform, customer, source, &end).await?;
            let Some(waiting) = waiting else { return Ok(()) };
            if started.elapsed() > self.limit {
                bail!("waited {} s in vain: {waiting}", self.limit.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What is still awaited.
    async fn waiting(
        &self,
        platform: &Client,
        customer: &Client,
        source: &Source,
        end: &str,
    ) -> Result<Option<String>> {
        let sql = "select slot_name::text, confirmed_flush_lsn::text from pg_replication_slots
                   where database = current_database() and slot_type = 'logical' and not temporary
                     and (confirmed_flush_lsn is null or confirmed_flush_lsn < $1::text::pg_lsn)";
        if let Some(behind) = customer.query_opt(sql, &[&end]).await? {
            let (slot, at): (String, Option<String>) = (behind.get(0), behind.get(1));
            return Ok(Some(format!("slot {slot} is confirmed to {}, not to {end}", at.unwrap_or_default())));
        }
        if let Some(table) = self.without_snapshot(platform, customer, source).await? {
            return Ok(Some(format!("the snapshot of {table} has not ended")));
        }
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
