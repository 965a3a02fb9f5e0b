//! Which tables still need their snapshot, and taking them.

use super::assemble::Draft;
use super::flow::Flow;
use super::position::{Position, TableProgress};
use super::setup::{Published, Table};
use super::snapshot::{Job, Snapshot};
use super::source::Run;
use crate::sources::SourceError;
use clarity_wire::frame::SnapshotProgress;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

/// Tables whose snapshots are taken at the same time.
const SNAPSHOTS: usize = 2;

/// Which tables still need their snapshot.
pub struct Plan<'a> {
    run: &'a Run<'a>,
    position: &'a Position,
    jobs: mpsc::UnboundedSender<Job>,
    tables: Mutex<BTreeMap<String, Planned>>,
}

struct Planned {
    table: Table,
    taking: bool,
}

impl<'a> Plan<'a> {
    pub fn new(run: &'a Run<'a>, position: &'a Position, jobs: mpsc::UnboundedSender<Job>) -> Self {
        Self { run, position, jobs, tables: Mutex::new(BTreeMap::new()) }
    }

    /// Makes jobs for tables that are new here. `barrier_xid`: transactions before it may have written unpublished rows.
    pub fn take_in(&self, published: &Published, barrier_xid: Option<u64>) {
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
            self.report(&job, &job.progress);
            let taking = !job.progress.done;
            tables.insert(name, Planned { table: table.clone(), taking });
            if taking {
                let _ = self.jobs.send(job);
            }
        }
    }

    /// Takes snapshots anew; of all tables when none is named. One that is being taken goes on.
    pub fn again(&self, streams: &[String]) {
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        for (name, planned) in tables.iter_mut() {
            if !planned.taking && (streams.is_empty() || streams.contains(name)) {
                planned.taking = true;
                let job = Job { table: planned.table.clone(), progress: TableProgress::default(), barrier_xid: None };
                self.report(&job, &job.progress);
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

    /// Takes snapshots, two tables at a time. Trouble with one is told and tried again; it never stops the stream.
    pub async fn take_all(
        &self,
        mut jobs: mpsc::UnboundedReceiver<Job>,
        drafts: mpsc::Sender<Draft>,
        flow: &Flow,
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
                        self.take(job, drafts, flow, raw_text, stop).await;
                    });
                }
                Some(()) = futures::StreamExt::next(&mut running) => {}
            }
        }
    }

    async fn take(
        &self,
        mut job: Job,
        drafts: mpsc::Sender<Draft>,
        flow: &Flow,
        raw_text: bool,
        stop: &CancellationToken,
    ) {
        let finder = format!("snapshot {}", job.table.name());
        let report = |job: &Job, progress: &TableProgress| self.report(job, progress);
        let mut pause = Duration::from_millis(500);
        while !job.progress.done && !stop.is_cancelled() {
            let snapshot = Snapshot {
                config: self.run.config,
                flow,
                raw_text,
                masks: self.run.masks,
                problems: self.run.problems,
                drafts: drafts.clone(),
                shutdown: stop.clone(),
                report: &report,
            };
            let before = job.progress.rows;
            match Box::pin(snapshot.table(&mut job)).await {
                Ok(()) => self.run.problems.set(&finder, []),
                Err(SourceError::Problem(problem)) => self.run.problems.set(&finder, [problem]),
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
        self.finished(&job.table.name());
    }

    fn report(&self, job: &Job, progress: &TableProgress) {
        let stream = job.table.name();
        let line = SnapshotProgress {
            stream: stream.clone(),
            rows_done: progress.rows,
            rows_estimated: job.table.rows_estimated,
            done: progress.done,
        };
        self.run.reporter.update(|s| {
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
}
