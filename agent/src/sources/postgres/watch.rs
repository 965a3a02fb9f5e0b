//! What is looked at beside the stream: lag, clocks, the slot's health, heartbeats, tables that come and go.

use super::config::PostgresConfig;
use super::confirm::now_us;
use super::encode::Shape;
use super::flow::Flow;
use super::heartbeat;
use super::problems;
use super::setup::{self, Published, Server};
use crate::sources::{Policy, SourceError};
use crate::status::StatusReporter;
use clarity_wire::frame::Problem;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

const STATUS: Duration = Duration::from_secs(2);
const COUNT: Duration = Duration::from_millis(500);
const TABLES: Duration = Duration::from_secs(60);
const SKEW_TOLD_US: i64 = 10_000_000;

/// The problems of one source, by who found them, so that each finder can take its own back.
pub struct Problems {
    found: Mutex<BTreeMap<String, Vec<Problem>>>,
    reporter: StatusReporter,
}

impl Problems {
    pub fn new(reporter: StatusReporter) -> Self {
        Self { found: Mutex::new(BTreeMap::new()), reporter }
    }

    /// What `finder` finds now, in place of what it found before.
    pub fn set(&self, finder: &str, problems: impl IntoIterator<Item = Problem>) {
        let problems: Vec<Problem> = problems.into_iter().collect();
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let before = found.get(finder);
        for problem in &problems {
            if !before.is_some_and(|b| b.contains(problem)) {
                let fix = problem.fix.as_deref().unwrap_or_default();
                tracing::warn!(code = problem.code, fix, "{}", problem.message);
            }
        }
        found.insert(finder.to_owned(), problems);
        let all: Vec<Problem> = found.values().flatten().cloned().collect();
        drop(found);
        self.reporter.update(|s| s.problems = all);
    }

    /// Tells what of a table is masked otherwise than was asked for.
    pub fn of_masks(&self, shape: &Shape) {
        if let Some(masks) = &shape.masks {
            let table = &shape.schema.name;
            self.set(&format!("masks of {table}"), problems::mask_key(table, masks.hashed_instead()));
        }
    }
}

pub struct Watch<'a> {
    pub client: &'a Client,
    pub config: &'a PostgresConfig,
    pub policy: &'a Policy,
    pub server: &'a Server,
    pub flow: &'a Flow,
    pub reporter: &'a StatusReporter,
    pub problems: &'a Problems,
    pub over_budget: &'a AtomicBool,
    pub shutdown: CancellationToken,
}

impl Watch<'_> {
    /// Runs until shutdown; `published` hears what the database publishes each time it is looked at, and the transaction
    /// id that was next after that.
    pub async fn run(&self, published: impl Fn(Published, u64)) -> Result<(), SourceError> {
        let mut status = interval(STATUS);
        let mut heartbeat = interval(heartbeat::EVERY);
        let mut count = interval(COUNT);
        let mut tables = tokio::time::interval_at(Instant::now() + TABLES, TABLES);
        for ticks in [&mut status, &mut heartbeat, &mut count, &mut tables] {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        loop {
            tokio::select! {
                () = self.shutdown.cancelled() => return Ok(()),
                _ = count.tick() => {
                    let events = self.flow.events.load(Ordering::Relaxed);
                    self.reporter.update(|s| s.read_events = events);
                }
                _ = heartbeat.tick() => {
                    if !self.server.standby {
                        self.problems.set("heartbeat", heartbeat::emit(self.client, &self.config.name).await);
                    }
                }
                _ = status.tick() => self.status().await?,
                _ = tables.tick() => {
                    let looked = setup::publications(self.client, self.config, self.policy, self.server, true).await;
                    match looked {
                        Ok(now) => {
                            self.problems.set("tables", now.problems.clone());
                            let next = setup::next_xid(self.client).await;
                            published(now, next.map_err(|e| problems::of_error(self.config, &e, "looking at tables"))?);
                        }
                        // The publication is gone: what is decoded from here on would be nothing.
                        Err(SourceError::Problem(p)) => self.problems.set("tables", [p]),
                        Err(e) => return Err(e),
                    }
                }
            }
        }
    }

    async fn status(&self) -> Result<(), SourceError> {
        let end = if self.server.standby { "pg_last_wal_replay_lsn()" } else { "pg_current_wal_lsn()" };
        let query = format!(
            "select ({end} - confirmed_flush_lsn)::int8, wal_status, safe_wal_size,
                    (extract(epoch from clock_timestamp()) * 1000000)::int8
             from pg_replication_slots where slot_name = $1"
        );
        let asked = now_us();
        let row = self
            .client
            .query_opt(&query, &[&self.config.slot()])
            .await
            .map_err(|e| problems::of_error(self.config, &e, "reading the slot's state"))?;
        let Some(row) = row else {
            return Ok(());
        };
        let answered = now_us();
        let lag = row.get::<_, Option<i64>>(0).unwrap_or_default().max(0) as u64;
        let skew = asked + (answered - asked) / 2 - row.get::<_, i64>(3);
        let mut found = Vec::new();
        let over = lag > self.config.wal_budget_bytes;
        self.over_budget.store(over, Ordering::Relaxed);
        if over {
            found.push(problems::wal_budget(lag, self.config.wal_budget_bytes));
        }
        if row.get::<_, Option<String>>(1).as_deref() == Some("unreserved") {
            let safe: Option<i64> = row.get(2);
            found.push(problems::slot_at_risk(&self.config.slot(), safe.unwrap_or_default()));
        }
        if skew.abs() > SKEW_TOLD_US {
            found.push(problems::clock_skew(skew));
        }
        self.problems.set("slot", found);
        self.reporter.update(|s| {
            s.lag_bytes = Some(lag);
            s.source_clock_skew_us = skew;
        });
        Ok(())
    }
}
