//! What a section measures on: a fresh stack with the customer's cluster tuned as the peers' scripts tune theirs.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::{Context, machine, session::Session};
use crate::{
    paths::Mode,
    process::step,
    services,
    stack::{Cluster, DATABASE, Stack, Workspace},
};

/// Of 16 MB: more than a minute's live writes fill.
const LOG_FILES: u32 = 60;
pub const EMAIL: &str = "owner@bench.example";
const AGENT: &str = "agent";

/// The lines of the peers' `postgresql.conf`, so that all read from a server that is tuned alike.
const CUSTOMER: [(&str, &str); 20] = [
    ("wal_level", "logical"),
    ("shared_buffers", "1GB"),
    ("effective_cache_size", "8GB"),
    ("work_mem", "64MB"),
    ("maintenance_work_mem", "512MB"),
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("wal_compression", "off"),
    ("max_wal_size", "16GB"),
    ("min_wal_size", "2GB"),
    ("checkpoint_timeout", "15min"),
    ("checkpoint_completion_target", "0.9"),
    ("wal_buffers", "64MB"),
    ("logical_decoding_work_mem", "256MB"),
    ("random_page_cost", "1.1"),
    ("effective_io_concurrency", "100"),
    ("max_parallel_workers_per_gather", "2"),
    ("max_parallel_workers", "2"),
    ("wal_sender_timeout", "0"),
];

pub struct Bed<'a> {
    context: &'a Context,
    dir: PathBuf,
    pub stack: Stack,
    pub workspace: Workspace,
}

impl<'a> Bed<'a> {
    /// A platform with its workspace. Commit times are kept where `timed`: they tell when a row became durable.
    pub fn platform(context: &'a Context, name: &str, timed: bool) -> Result<Self> {
        let dir = folder(context, name);
        services::remove_stack(&context.paths, Mode::Release, &dir)?;
        let mut stack = Stack::new(&context.paths, Mode::Release, &dir, &context.interrupt, None)?;
        step("platform: database, workspace", || {
            stack.start_platform(None)?;
            if timed {
                stack.platform()?.sql("postgres", "alter system set track_commit_timestamp = on")?;
                stack.platform()?.sql("postgres", "alter system set min_wal_size = '2GB'")?;
                stack.platform()?.down()?;
                stack.restart_platform()?;
            }
            let workspace = stack.create_workspace("Bench", EMAIL, "Bench Owner")?;
            Ok(Self { context, dir, stack, workspace })
        })
    }

    /// The customer's cluster with the plant's tables.
    pub fn with_customer(&mut self, timed: bool) -> Result<()> {
        step("customer: database, tables", || {
            self.stack.start_customer()?;
            let settings = CUSTOMER.iter().copied().chain(timed.then_some(("track_commit_timestamp", "on")));
            let sql: String = settings.map(|(name, value)| format!("alter system set {name} = '{value}';\n")).collect();
            script(self.stack.customer()?, "postgres", &sql)?;
            self.stack.customer()?.down()?;
            self.stack.start_customer()
        })
    }

    /// Where its clusters and the agent's spool lie.
    pub fn folder(&self) -> &Path {
        &self.dir
    }

    pub fn platform_session(&self) -> Result<Session> {
        Session::open(self.stack.platform()?, DATABASE)
    }

    pub fn customer_session(&self) -> Result<Session> {
        Session::open(self.stack.customer()?, self.stack.customer_database()?)
    }

    /// Makes both clusters such as have run for a while: they write to files of the log that they recycled. A new one makes
    /// each file, 16 MB of zeros and a sync, while commits wait. Before the agent has a slot, which would keep the files.
    pub fn recycle_logs(&self) -> Result<()> {
        step("files of the write-ahead logs", || {
            for mut session in [self.platform_session()?, self.customer_session()?] {
                for _ in 0..LOG_FILES {
                    session.rows("select pg_logical_emit_message(false, 'bench', ''), pg_switch_wal()")?;
                }
                session.rows("checkpoint")?;
            }
            Ok(())
        })
    }

    /// Runs the agent until it streams and its snapshots are done, and all that it has read is durable; then stops it.
    pub fn settle_agent(&mut self) -> Result<()> {
        step("agent: paired, slot made, snapshot of empty tables done", || {
            self.stack.start_agent(&self.workspace.slug)?;
            let mut platform = self.platform_session()?;
            self.wait("the agent to stream", Duration::from_secs(90), || {
                platform.is(
                    "select coalesce(bool_and(status ->> 'state' = 'streaming'
                       and not exists (select from jsonb_array_elements(status -> 'snapshot') s where not (s ->> 'done')::bool)), false)
                     from sources",
                )
            })?;
            self.wait_durable(&mut platform)?;
            self.stack.stop(AGENT)
        })
    }

    /// Waits until the customer's whole log as it is now is durable. A heartbeat moves the position past rows that are
    /// not published.
    pub fn wait_durable(&mut self, platform: &mut Session) -> Result<()> {
        let head: u64 = self.customer_session()?.get("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")?;
        let query = "select coalesce(min((position ->> 'safe_lsn')::bigint), 0) from source_cursors";
        self.wait("everything to be durable", Duration::from_secs(900), || Ok(platform.get::<u64>(query)? >= head))
    }

    /// A script of `bench/`.
    pub fn script_file(&self, name: &str) -> PathBuf {
        self.context.paths.join("bench").join(name)
    }

    /// An error when it was interrupted or a process has ended.
    pub fn check(&mut self) -> Result<()> {
        self.context.interrupt.check()?;
        self.stack.check()
    }

    /// Polls every 20 ms. Fails when a process of the stack ends.
    pub fn wait(&mut self, what: &str, limit: Duration, mut ready: impl FnMut() -> Result<bool>) -> Result<()> {
        let started = Instant::now();
        let mut checked = started;
        while !ready()? {
            if checked.elapsed() > Duration::from_millis(500) {
                self.check()?;
                checked = Instant::now();
            }
            if started.elapsed() > limit {
                bail!("waited {} s for {what}, in vain; logs: {}", limit.as_secs(), self.stack.logs().display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Stops everything and removes the folder.
    pub fn remove(mut self) -> Result<()> {
        self.stack.stop_all()?;
        if self.context.keep {
            eprintln!("          kept: {}", self.dir.display());
            return Ok(());
        }
        services::remove_stack(&self.context.paths, Mode::Release, &self.dir)
    }
}

/// Runs a file's worth of statements, each its own transaction.
pub fn script(cluster: &Cluster, database: &str, statements: &str) -> Result<()> {
    let mut psql = cluster.psql(database)?;
    let mut psql = psql.args(["--quiet", "--file", "-"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    psql.stdin.take().context("psql's input")?.write_all(statements.as_bytes())?;
    let status = psql.wait()?;
    if !status.success() {
        bail!("psql ended with {status}");
    }
    Ok(())
}

/// The line about the machine, from a cluster made like the platform's.
pub fn machine(context: &Context) -> Result<String> {
    let dir = folder(context, "machine");
    services::remove_stack(&context.paths, Mode::Release, &dir)?;
    std::fs::create_dir_all(&dir)?;
    let program = context.paths.bin(Mode::Release, "clarity-services");
    let cluster = Cluster::up(&program, &dir.join("platform"), crate::stack::Purpose::Platform)?;
    let line = Session::open(&cluster, "postgres").and_then(|mut session| machine::line(&mut session));
    cluster.down()?;
    services::remove_stack(&context.paths, Mode::Release, &dir)?;
    line
}

fn folder(context: &Context, name: &str) -> PathBuf {
    context.paths.stage(Mode::Release, "bench").join(name)
}
