//! A stack under test: ingest and refine apart, a customer with history, an agent that took its snapshot, a plant and a
//! ledger that write.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;

use super::{Context, outcome::Checked};
use crate::{
    bench::session::Session,
    process::{capture, step},
    services,
    stack::{DATABASE, Stack, Workspace},
};

pub use crate::stack::AGENT;
pub const INGEST: &str = "ingest";
pub const REFINE: &str = "refine";
/// Rows of telemetry that are there before the agent comes, so that there is a snapshot to take.
const HISTORY_ROWS: &str = "20000";
const HISTORY_TRANSACTIONS: &str = "25";
/// Transactions a second of the ledger; one in twelve has thousands of rows.
const LEDGER_RATE: &str = "4";
/// What was written may take so long to be durable and refined.
const SETTLE_S: &str = "180";

pub struct Bed<'a> {
    pub context: &'a Context,
    pub dir: PathBuf,
    pub stack: Stack,
    pub workspace: Workspace,
    writer: Option<Child>,
    pub restarted: u32,
}

/// Where bronze ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub epoch: u32,
    pub next_seq: u64,
}

impl<'a> Bed<'a> {
    /// Everything up to the agent's start; `prepare` may write to the customer's database before.
    pub fn start(context: &'a Context, name: &str, prepare: impl FnOnce(&mut Stack) -> Result<()>) -> Result<Self> {
        let dir = context.paths.stage(context.mode, "faults").join(name);
        services::remove_stack(&context.paths, context.mode, &dir)?;
        let mut stack = Stack::new(&context.paths, context.mode, &dir, &context.interrupt, None)?;
        let workspace = step("platform, ingest, refine; a customer with history; an agent", || {
            stack.start_platform(None)?;
            let workspace = stack.create_workspace("Faults", "owner@faults.example", "Faults Owner")?;
            stack.start_workers(INGEST, "ingest")?;
            if !context.bronze_only {
                stack.start_workers(REFINE, "refine,rollup,compact")?;
            }
            stack.start_customer()?;
            stack.plant_command(&["backfill", "--rows", HISTORY_ROWS, "--quiet"])?;
            let url = stack.customer()?.url(stack.customer_database()?);
            let ledger = stack.bin("clarity-ledger");
            capture(Command::new(&ledger).args(["init", "--url", &url]))?;
            let before = dir.join("ledger-before.jsonl");
            let mut history = Command::new(&ledger);
            history.args(["write", "--url", &url, "--rate", "1000", "--transactions", HISTORY_TRANSACTIONS, "--out"]);
            capture(history.arg(&before))?;
            prepare(&mut stack)?;
            stack.start_agent(&workspace.slug)?;
            Ok(workspace)
        })?;
        let mut bed = Self { context, dir, stack, workspace, writer: None, restarted: 0 };
        let mut customer = bed.customer()?;
        bed.wait("the agent to stream", Duration::from_secs(60), |_| {
            Ok(customer
                .get::<u64>("select count(*) from pg_replication_slots where active and slot_type = 'logical'")?
                > 0)
        })?;
        Ok(bed)
    }

    /// Plant and ledger. What they change from here on is counted.
    pub fn write(&mut self) -> Result<()> {
        self.stack.start_plant(self.context.rate, &["--quiet", "--orders", "20"])?;
        self.start_ledger()
    }

    pub fn start_ledger(&mut self) -> Result<()> {
        let url = self.customer_url()?;
        let log = std::fs::File::options().create(true).append(true).open(self.stack.logs().join("ledger.log"))?;
        let mut writer = Command::new(self.stack.bin("clarity-ledger"));
        writer.args(["write", "--url", &url, "--rate", LEDGER_RATE, "--seed", &self.context.seed.to_string()]);
        writer.arg("--out").arg(self.ledger());
        writer.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.writer = Some(writer.spawn().context("start clarity-ledger")?);
        Ok(())
    }

    fn ledger(&self) -> PathBuf {
        self.dir.join("ledger.jsonl")
    }

    pub fn stop_writing(&mut self) -> Result<()> {
        self.stack.stop("plant")?;
        if let Some(mut writer) = self.writer.take() {
            kill_process(Pid::from_child(&writer), Signal::TERM)?;
            let status = writer.wait()?;
            ensure!(
                status.success(),
                "clarity-ledger ended with {status}: {}",
                self.stack.logs().join("ledger.log").display()
            );
        }
        Ok(())
    }

    /// Stops writing, waits until all is durable and refined, and compares bronze with the customer's tables.
    pub fn check(&mut self) -> Result<Checked> {
        step("writers stopped", || self.stop_writing())?;
        self.tend()?;
        let platform = self.stack.platform()?.url(DATABASE);
        let customer = self.customer_url()?;
        let mut check = Command::new(self.stack.bin("clarity-ledger"));
        check.args(["check", "--platform-url", &platform, "--customer-url", &customer, "--wait-s", SETTLE_S]);
        check.arg("--ledger").arg(self.ledger());
        if !self.context.bronze_only {
            check.arg("--refined");
        }
        let output = step("all durable and refined; bronze read, folded and compared", || {
            let output = check.stdin(Stdio::null()).output().context("start clarity-ledger")?;
            // 1: it found something, and says what; anything else: it could not look.
            let said = String::from_utf8_lossy(&output.stderr);
            ensure!(matches!(output.status.code(), Some(0 | 1)), "{}", said.trim());
            Ok(output)
        })?;
        std::fs::write(self.dir.join("check.json"), &output.stdout)?;
        serde_json::from_slice(&output.stdout).context("answer of clarity-ledger")
    }

    /// Read models against a rebuild: the number of differences; none where there are no read models.
    pub fn verify(&self) -> Result<Option<u64>> {
        if self.context.bronze_only {
            return Ok(None);
        }
        #[derive(Deserialize)]
        struct Verified {
            mismatched: u64,
        }
        let file = self.dir.join("verify.json");
        let file_text = file.display().to_string();
        let args = ["verify", "--workspace", &self.workspace.slug, "--json", &file_text];
        let mut verify = self.stack.workers_command(&args)?;
        let output = step("read models compared with a rebuild", || verify.output().context("start clarity-workers"))?;
        let Ok(text) = std::fs::read_to_string(&file) else {
            bail!(
                "clarity-workers verify ended with {}: {}",
                output.status,
                String::from_utf8_lossy(&output.stderr).trim()
            );
        };
        let verified: Verified = serde_json::from_str(&text).context("answer of clarity-workers verify")?;
        ensure!(
            output.status.success() || verified.mismatched > 0,
            "clarity-workers verify ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr).trim()
        );
        Ok(Some(verified.mismatched))
    }

    /// Starts processes that ended by themselves, as a service manager does.
    pub fn tend(&mut self) -> Result<()> {
        for name in [INGEST, REFINE, AGENT] {
            if self.has_ended(name) {
                self.stack.restart(name)?;
                self.restarted += 1;
            }
        }
        Ok(())
    }

    fn has_ended(&self, name: &str) -> bool {
        let pid = self.pid(name);
        // One that ended and was not yet waited for has no memory any more.
        pid.is_some_and(|pid| crate::stack::usage_of(pid).is_err())
    }

    pub fn pid(&self, name: &str) -> Option<u32> {
        self.stack.processes().into_iter().find(|(known, ..)| *known == name).map(|(_, pid, _)| pid)
    }

    pub fn signal(&self, name: &str, signal: Signal) -> Result<()> {
        let pid =
            self.pid(name).and_then(|pid| Pid::from_raw(pid.cast_signed())).with_context(|| format!("no {name}"))?;
        kill_process(pid, signal).with_context(|| format!("signal {name}"))
    }

    /// Stops the workers, so that the platform's Postgres may be taken away without them.
    pub fn stop_workers(&mut self) -> Result<()> {
        for name in [INGEST, REFINE] {
            if self.pid(name).is_some() {
                self.stack.stop(name)?;
            }
        }
        Ok(())
    }

    /// After [`Self::stop_workers`].
    pub fn start_workers(&mut self) -> Result<()> {
        for name in [INGEST, REFINE] {
            if self.pid(name).is_some() {
                self.stack.restart(name)?;
            }
        }
        Ok(())
    }

    pub fn customer_url(&self) -> Result<String> {
        Ok(self.stack.customer()?.url(self.stack.customer_database()?))
    }

    pub fn customer(&self) -> Result<Session> {
        Session::open(self.stack.customer()?, self.stack.customer_database()?)
    }

    pub fn platform(&self) -> Result<Session> {
        Session::open(self.stack.platform()?, DATABASE)
    }

    /// Polls; between polls, processes that ended are started again.
    pub fn wait(
        &mut self,
        what: &str,
        limit: Duration,
        mut ready: impl FnMut(&mut Self) -> Result<bool>,
    ) -> Result<()> {
        let started = Instant::now();
        while !ready(self)? {
            self.context.interrupt.check()?;
            self.tend()?;
            if started.elapsed() > limit {
                bail!("waited {} s for {what}, in vain; logs: {}", limit.as_secs(), self.stack.logs().display());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Waits until bronze has grown beyond `place`.
    pub fn wait_beyond(&mut self, place: Place, limit: Duration) -> Result<()> {
        let mut session = self.platform()?;
        self.wait("bronze to grow", limit, |_| Ok(cursor(&mut session)? > Some(place)))
    }

    /// Stops everything and removes the folder.
    pub fn remove(mut self) -> Result<()> {
        self.stack.stop_all()?;
        if self.context.keep {
            eprintln!("          kept: {}", self.dir.display());
            return Ok(());
        }
        services::remove_stack(&self.context.paths, self.context.mode, &self.dir)
    }
}

impl Drop for Bed<'_> {
    fn drop(&mut self) {
        if let Some(mut writer) = self.writer.take() {
            let _ = writer.kill();
            let _ = writer.wait();
        }
    }
}

/// The source's cursor; none before the agent has registered it.
pub fn cursor(session: &mut Session) -> Result<Option<Place>> {
    let rows = session.rows("select epoch, next_seq from source_cursors")?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Place { epoch: crate::bench::session::column(row, 0)?, next_seq: crate::bench::session::column(row, 1)? }))
}
