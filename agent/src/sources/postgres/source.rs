//! One run of a Postgres source: set up, compare identities, stream, take snapshots, until shutdown or a problem.

use super::assemble::{Assembler, Draft};
use super::catalog::Catalog;
use super::config::PostgresConfig;
use super::confirm::{Confirming, confirm};
use super::connect::connect;
use super::flow::{Flow, append};
use super::position::{Cursor, Position, TableProgress};
use super::problems;
use super::repair;
use super::setup::{self, Published, Server, Slot, Table};
use super::snapshot::{Job, Snapshot};
use super::stream::Stream;
use super::walsender::{Identity, WalSender};
use super::watch::{Problems, Watch};
use crate::sources::{Policy, SourceError};
use crate::spool::SpoolWriter;
use crate::status::StatusReporter;
use clarity_wire::frame::{Command, Problem, SnapshotProgress};
use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

/// Tables whose snapshots are taken at the same time.
const SNAPSHOTS: usize = 2;
/// How long a slot may still be held by our own session of before.
const SLOT_PATIENCE: Duration = Duration::from_secs(15);
const PUBLICATION_PATIENCE: Duration = Duration::from_secs(2);

pub async fn run(
    config: PostgresConfig,
    policy: Policy,
    spool: SpoolWriter,
    reporter: StatusReporter,
    commands: mpsc::Receiver<Command>,
    shutdown: CancellationToken,
) -> Result<(), SourceError> {
    let problems = Problems::new(reporter.clone());
    problems.set("run", []);
    reporter.update(|s| s.state = "connecting".into());
    let run = Run { config: &config, policy: &policy, reporter: &reporter, problems: &problems, shutdown: &shutdown };
    let ended = Box::pin(run.run(spool, commands)).await;
    if let Err(SourceError::Problem(problem)) = &ended {
        problems.set("run", [problem.clone()]);
        let state = if problem.fatal { "failed" } else { "connecting" };
        reporter.update(|s| s.state = state.into());
    }
    ended
}

struct Run<'a> {
    config: &'a PostgresConfig,
    policy: &'a Policy,
    reporter: &'a StatusReporter,
    problems: &'a Problems,
    shutdown: &'a CancellationToken,
}

impl Run<'_> {
    async fn run(&self, mut spool: SpoolWriter, mut commands: mpsc::Receiver<Command>) -> Result<(), SourceError> {
        let config = self.config;
        if !self.policy.allows_host(&config.host, config.port) {
            return Err(problems::policy_host(config).into());
        }
        let client = Arc::new(connect(config, "control").await?);
        let server = setup::server(&client, config).await?;
        self.reporter.update(|s| s.product.clone_from(&server.product));
        let Some(published) = self.wait_for_publication(&client, &server).await? else { return Ok(()) };
        self.problems.set("tables", published.problems.clone());

        let stored = match spool.position() {
            Some(value) => Some(serde_json::from_value::<Position>(value).map_err(|e| unreadable_position(&e))?),
            None => None,
        };
        let ours = stored.as_ref().map_or(0, |s| s.cursor.safe_lsn);
        let (sender, position) = match self.go_on(&client, &server, &published, stored).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(()),
            Err(SourceError::Problem(problem)) if repair::MENDED.contains(&problem.code.as_str()) => {
                self.problems.set("run", [problem]);
                self.reporter.update(|s| s.state = "failed".into());
                if !repair::asked_for(&mut commands, self.shutdown).await {
                    return Ok(());
                }
                // A day may have passed.
                let client = connect(config, "repair").await?;
                let begun = repair::begin_anew(&client, config, &server, &published, ours, &mut spool).await?;
                self.problems.set("run", []);
                begun
            }
            Err(error) => return Err(error),
        };
        let client = if client.is_closed() { Arc::new(connect(config, "control").await?) } else { client };
        Box::pin(self.stream(client, server, published, sender, position, spool, commands)).await
    }

    /// Where reading goes on: compares what was stored with what is there. None: shut down meanwhile.
    async fn go_on(
        &self,
        client: &Client,
        server: &Server,
        published: &Published,
        stored: Option<Position>,
    ) -> Result<Option<(WalSender, Position)>, SourceError> {
        let sender = WalSender::connect(self.config, server.raw_text).await?;
        let other = stored.as_ref().filter(|s| s.system_identifier != sender.identity.system_identifier);
        if let Some(stored) = other {
            return Err(problems::other_system(&stored.system_identifier, &sender.identity.system_identifier).into());
        }
        let Some(slot) = self.slot(client, server, stored.as_ref()).await? else { return Ok(None) };
        let position = self.resume(stored, &sender.identity, &slot, published)?;
        Ok(Some((sender, position)))
    }

    /// Waits while only the tables' owner can make the publication. None: shut down meanwhile.
    async fn wait_for_publication(&self, client: &Client, server: &Server) -> Result<Option<Published>, SourceError> {
        loop {
            match setup::publications(client, self.config, self.policy, server, true).await {
                Err(SourceError::Problem(p)) if p.code == "publication_missing" => {
                    self.problems.set("tables", [p]);
                    self.reporter.update(|s| s.state = "waiting".into());
                }
                other => return other.map(Some),
            }
            tokio::select! {
                () = tokio::time::sleep(PUBLICATION_PATIENCE) => {}
                () = self.shutdown.cancelled() => return Ok(None),
            }
        }
    }

    /// The slot, made when this is the very first start. Missing later, or invalidated: said, never passed over.
    async fn slot(
        &self,
        client: &Client,
        server: &Server,
        stored: Option<&Position>,
    ) -> Result<Option<Slot>, SourceError> {
        let config = self.config;
        let name = config.slot();
        let since = tokio::time::Instant::now();
        loop {
            let Some(slot) = setup::find_slot(client, config, server).await? else {
                if let Some(stored) = stored {
                    return Err(problems::slot_lost(&name, "is missing", stored.cursor.safe_lsn).into());
                }
                setup::make_slot(client, config).await?;
                continue;
            };
            if slot.plugin != "pgoutput" || slot.database != config.database {
                return Err(problems::slot_kind(&name, &slot.plugin, &slot.database).into());
            }
            if let Some(how) = &slot.lost {
                let from = stored.map_or(slot.confirmed, |s| s.cursor.safe_lsn);
                return Err(problems::slot_lost(&name, &format!("was invalidated ({how})"), from).into());
            }
            if slot.active_pid.is_none() {
                return Ok(Some(slot));
            }
            if since.elapsed() > SLOT_PATIENCE {
                return Err(problems::slot_in_use(&name, slot.active_pid).into());
            }
            tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(50)) => {}
                () = self.shutdown.cancelled() => return Ok(None),
            }
        }
    }

    /// The stored position against the slot's, or the first one.
    fn resume(
        &self,
        stored: Option<Position>,
        identity: &Identity,
        slot: &Slot,
        published: &Published,
    ) -> Result<Position, SourceError> {
        let name = self.config.slot();
        let Some(mut position) = stored else {
            return Ok(Position {
                system_identifier: identity.system_identifier.clone(),
                slot: name,
                timeline: identity.timeline,
                cursor: Cursor { commit_lsn: 0, index: 0, safe_lsn: slot.confirmed },
                publications: published.publications.clone(),
                ..Position::default()
            });
        };
        let ours = position.cursor.safe_lsn;
        if position.slot != name {
            return Err(problems::slot_lost(&position.slot, "is not the configured one any more", ours).into());
        }
        if slot.confirmed > ours {
            return Err(problems::slot_moved(&name, slot.confirmed, ours).into());
        }
        if ours > identity.log_end {
            return Err(problems::system_restored(ours, identity.log_end).into());
        }
        if position.timeline != identity.timeline {
            tracing::info!(
                from = position.timeline,
                to = identity.timeline,
                "the server was promoted; its slot goes on"
            );
            position.timeline = identity.timeline;
        }
        // One that was dropped cannot be named; one that is new joins later.
        position.publications.retain(|p| published.publications.contains(p));
        if position.publications.is_empty() {
            position.publications.clone_from(&published.publications);
        }
        Ok(position)
    }

    #[allow(clippy::too_many_arguments)]
    async fn stream(
        &self,
        client: Arc<Client>,
        server: Server,
        published: Published,
        sender: WalSender,
        position: Position,
        spool: SpoolWriter,
        commands: mpsc::Receiver<Command>,
    ) -> Result<(), SourceError> {
        let config = self.config;
        let start = position.cursor.safe_lsn;
        let (frames, status_writer) = sender.start(&config.slot(), start, &position.publications).await?;
        tracing::info!(source = config.name, from = super::position::lsn_text(start), "streaming");
        self.reporter.update(|s| s.state = "streaming".into());

        let flow = Flow::new(spool.subscribe());
        let over_budget = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(Notify::new());
        let (pause, paused) = watch::channel(false);
        let (stream_drafts, stream_blocks) = mpsc::channel::<Draft>(2);
        let (snapshot_drafts, snapshot_blocks) = mpsc::channel::<Draft>(1);
        let (used_sender, used) = mpsc::channel(4);
        let (job_sender, jobs) = mpsc::unbounded_channel();
        // The end of one part ends them all; reading ends first, so that what was read is spooled.
        let stop = self.shutdown.child_token();
        let confirm_stop = CancellationToken::new();

        let plan = Plan { run: self, position: &position, jobs: job_sender, tables: Mutex::new(BTreeMap::new()) };
        plan.take_in(&published, None);
        let late: Vec<String> =
            published.publications.iter().filter(|p| !position.publications.contains(p)).cloned().collect();
        let confirming = Confirming {
            policy: config.confirm,
            over_budget: over_budget.clone(),
            asked: asked.clone(),
            progress: flow.progress(),
        };
        let stream = Stream {
            config,
            policy: self.policy,
            frames,
            assembler: Assembler::new(position.cursor, server.xid),
            catalog: Catalog::new(client.clone()),
            drafts: stream_drafts,
            used,
            flow: &flow,
            asked,
            paused,
            shutdown: stop.clone(),
        };
        let watch = Watch {
            client: &client,
            config,
            policy: self.policy,
            server: &server,
            flow: &flow,
            reporter: self.reporter,
            problems: self.problems,
            over_budget: &over_budget,
            shutdown: stop.clone(),
        };

        let reading = async {
            let ended = stream.run().await;
            stop.cancel();
            ended
        };
        let appending = async {
            let ended = append(spool, position.clone(), stream_blocks, snapshot_blocks, used_sender, &flow).await;
            stop.cancel();
            // A last word with what became durable until now.
            confirm_stop.cancel();
            ended
        };
        let confirm_task = async {
            let ended = confirm(status_writer, confirming, start, confirm_stop.clone()).await;
            stop.cancel();
            ended
        };
        let watching = async {
            let ended = watch.run(|now, xid| plan.take_in(&now, Some(xid))).await;
            stop.cancel();
            ended
        };
        let taking = async {
            self.snapshots(jobs, snapshot_drafts, &flow, &plan, server.raw_text, &stop).await;
            Ok(())
        };
        let joining = async {
            let ended = self.join_late(published.publications.clone(), &late, &client, &flow, &stop).await;
            if ended.is_err() {
                stop.cancel();
            }
            ended
        };
        let obeying = async {
            self.obey(commands, &plan, &pause, &stop).await;
            Ok(())
        };
        let (a, b, c, d, e, f, g) = tokio::join!(
            Box::pin(appending),
            Box::pin(reading),
            Box::pin(confirm_task),
            Box::pin(watching),
            Box::pin(taking),
            Box::pin(joining),
            Box::pin(obeying)
        );
        // The spool's own error first: the others follow from it.
        let all: [Result<(), SourceError>; 7] = [a, b, c, d, e, f, g];
        all.into_iter().find(Result::is_err).unwrap_or(Ok(()))
    }

    /// A publication made after the slot may be named only when reading has passed its making, and every transaction
    /// that ran then: it joins the position, and a new session reads it from there.
    async fn join_late(
        &self,
        joined: Vec<String>,
        late: &[String],
        client: &Client,
        flow: &Flow,
        stop: &CancellationToken,
    ) -> Result<(), SourceError> {
        let Some(name) = late.first() else { return Ok(()) };
        let asking = |e: tokio_postgres::Error| problems::of_error(self.config, &e, "asking for the log's end");
        let next = setup::next_xid(client).await.map_err(asking)?;
        while setup::oldest_xid(client).await.map_err(asking)? < next {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
                () = stop.cancelled() => return Ok(()),
            }
        }
        let row = client.query_one("select (pg_current_wal_lsn() - '0/0')::int8", &[]).await.map_err(asking)?;
        let made = row.get::<_, i64>(0) as u64;
        let mut progress = flow.progress();
        loop {
            let (mut passed, mut has_joined) = (false, false);
            if let Some(position) = &progress.borrow_and_update().durable_position {
                passed = super::position::safe_lsn(position).unwrap_or(0) > made;
                let names = position.get("publications").and_then(|p| p.as_array());
                has_joined = names.is_some_and(|n| n.iter().any(|n| n == name.as_str()));
            }
            if has_joined {
                let message = format!("publication {name} joins; connecting again");
                return Err(problems::attention("publication_joins", message, None).into());
            }
            if passed {
                flow.join(joined.clone());
            }
            tokio::select! {
                changed = progress.changed() => if changed.is_err() { return Ok(()) },
                () = stop.cancelled() => return Ok(()),
            }
        }
    }

    /// Takes snapshots, two tables at a time. Trouble with one is told and tried again; it never stops the stream.
    async fn snapshots(
        &self,
        mut jobs: mpsc::UnboundedReceiver<Job>,
        drafts: mpsc::Sender<Draft>,
        flow: &Flow,
        plan: &Plan<'_>,
        raw_text: bool,
        stop: &CancellationToken,
    ) {
        let places = Semaphore::new(SNAPSHOTS);
        let mut running = futures::stream::FuturesUnordered::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some(job) = jobs.recv() => {
                    let drafts = drafts.clone();
                    let places = &places;
                    running.push(async move {
                        let Ok(_place) = places.acquire().await else { return };
                        self.one_snapshot(job, drafts, flow, plan, raw_text, stop).await;
                    });
                }
                Some(()) = futures::StreamExt::next(&mut running) => {}
            }
        }
    }

    async fn one_snapshot(
        &self,
        mut job: Job,
        drafts: mpsc::Sender<Draft>,
        flow: &Flow,
        plan: &Plan<'_>,
        raw_text: bool,
        stop: &CancellationToken,
    ) {
        let finder = format!("snapshot {}", job.table.name());
        let report = |job: &Job, progress: &TableProgress| self.report_snapshot(job, progress);
        let mut pause = Duration::from_millis(500);
        while !job.progress.done && !stop.is_cancelled() {
            let snapshot = Snapshot {
                config: self.config,
                flow,
                raw_text,
                drafts: drafts.clone(),
                shutdown: stop.clone(),
                report: &report,
            };
            let before = job.progress.rows;
            match Box::pin(snapshot.table(&mut job)).await {
                Ok(()) => self.problems.set(&finder, []),
                Err(SourceError::Problem(problem)) => self.problems.set(&finder, [problem]),
                Err(SourceError::Spool(_)) => return,
            }
            if job.progress.rows > before {
                pause = Duration::from_millis(500);
            }
            if !job.progress.done {
                let jitter = rand::random_range(0.5..1.5);
                tokio::select! {
                    () = tokio::time::sleep(pause.mul_f64(jitter)) => {}
                    () = stop.cancelled() => return,
                }
                pause = (pause * 2).min(Duration::from_secs(30));
            }
        }
        plan.finished(&job.table.name());
    }

    fn report_snapshot(&self, job: &Job, progress: &TableProgress) {
        let stream = job.table.name();
        let line = SnapshotProgress {
            stream: stream.clone(),
            rows_done: progress.rows,
            rows_estimated: job.table.rows_estimated,
            done: progress.done,
        };
        self.reporter.update(|s| {
            match s.snapshot.iter_mut().find(|p| p.stream == stream) {
                Some(known) => *known = line,
                None => s.snapshot.push(line),
            }
            if s.state == "streaming" || s.state == "snapshot" {
                let all_done = s.snapshot.iter().all(|p| p.done);
                s.state = if all_done { "streaming" } else { "snapshot" }.into();
            }
        });
    }

    async fn obey(
        &self,
        mut commands: mpsc::Receiver<Command>,
        plan: &Plan<'_>,
        pause: &watch::Sender<bool>,
        stop: &CancellationToken,
    ) {
        loop {
            let command = tokio::select! {
                () = stop.cancelled() => return,
                command = commands.recv() => command,
            };
            match command {
                None => return stop.cancelled().await,
                Some(Command::Pause { .. }) => {
                    pause.send_replace(true);
                    self.reporter.update(|s| s.state = "paused".into());
                }
                Some(Command::Resume { .. }) => {
                    pause.send_replace(false);
                    self.reporter.update(|s| s.state = "streaming".into());
                }
                Some(Command::Resnapshot { streams, .. }) => plan.again(&streams),
                Some(Command::Unknown) => {}
            }
        }
    }
}

/// Which tables still need their snapshot.
struct Plan<'a> {
    run: &'a Run<'a>,
    position: &'a Position,
    jobs: mpsc::UnboundedSender<Job>,
    tables: Mutex<BTreeMap<String, Planned>>,
}

struct Planned {
    table: Table,
    taking: bool,
}

impl Plan<'_> {
    /// Makes jobs for tables that are new here. `barrier_xid`: transactions before it may have written unpublished rows.
    fn take_in(&self, published: &Published, barrier_xid: Option<u64>) {
        if !self.run.config.snapshot {
            return;
        }
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        for table in &published.tables {
            let name = table.name();
            if tables.contains_key(&name) {
                continue;
            }
            let progress = self.position.tables.get(&name).cloned().unwrap_or_default();
            let job = Job { table: table.clone(), progress, barrier_xid };
            self.run.report_snapshot(&job, &job.progress);
            let taking = !job.progress.done;
            tables.insert(name, Planned { table: table.clone(), taking });
            if taking {
                let _ = self.jobs.send(job);
            }
        }
    }

    /// Takes snapshots anew; of all tables when none is named. One that is being taken goes on.
    fn again(&self, streams: &[String]) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, planned) in tables.iter_mut() {
            if !planned.taking && (streams.is_empty() || streams.contains(name)) {
                planned.taking = true;
                let job = Job { table: planned.table.clone(), progress: TableProgress::default(), barrier_xid: None };
                self.run.report_snapshot(&job, &job.progress);
                let _ = self.jobs.send(job);
            }
        }
    }

    fn finished(&self, table: &str) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(planned) = tables.get_mut(table) {
            planned.taking = false;
        }
    }
}

fn unreadable_position(error: &serde_json::Error) -> Problem {
    problems::fatal("position", format!("the stored position cannot be read: {error}"), None)
}
