//! The Postgres source against Postgres.

mod conformance;
mod faults;
mod masks;
mod setup;
mod snapshot;
mod streaming;

use super::fold::Row;
use super::harness::{Opened, Platform};
use clarity_agent::masks::SourceMasks;
use clarity_agent::sources::{Policy, SourceConfig, SourceError};
use clarity_agent::spool::Limits;
use clarity_agent::status::StatusReporter;
use clarity_testkit::CustomerDb;
use clarity_wire::frame::{Command, Problem, SourceStatus};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, SimpleQueryMessage};
use tokio_util::sync::CancellationToken;

pub const PATIENCE: Duration = Duration::from_secs(30);

/// A customer's database, an agent's folder, and the platform.
pub struct Plant {
    pub db: CustomerDb,
    pub owner: Client,
    pub folder: TempDir,
    pub platform: Platform,
    pub limits: Limits,
    /// Lines added to the source's settings.
    pub settings: String,
    pub policy: Policy,
    pub masks: SourceMasks,
}

/// A running source. Dropping it kills it where it stands.
pub struct Running {
    task: JoinHandle<Result<(), SourceError>>,
    owner: JoinHandle<()>,
    pub reporter: StatusReporter,
    pub commands: mpsc::Sender<Command>,
    shutdown: CancellationToken,
    pub opened: Opened,
}

impl Plant {
    pub async fn new(tables: &str) -> Self {
        let db = CustomerDb::new().await;
        let owner = db.owner().await;
        owner.batch_execute(tables).await.unwrap();
        Self {
            db,
            owner,
            folder: tempfile::tempdir().unwrap(),
            platform: Platform::new(),
            limits: Limits::default(),
            settings: String::new(),
            policy: Policy::default(),
            masks: SourceMasks::default(),
        }
    }

    /// Unique on the cluster: slots are the cluster's.
    pub fn slot(&self) -> String {
        format!("s_{}", self.db.name())
    }

    pub fn config(&self) -> SourceConfig {
        let password = self.folder.path().join("password");
        std::fs::write(&password, format!("{}\n", self.db.password())).unwrap();
        let mut lines =
            vec!["kind = 'postgres'".to_owned(), "name = 'test'".into(), format!("slot = '{}'", self.slot())];
        for (name, value) in [
            ("host", format!("'{}'", self.db.host())),
            ("port", self.db.port().to_string()),
            ("database", format!("'{}'", self.db.name())),
            ("user", format!("'{}'", CustomerDb::READER)),
            ("password_file", format!("'{}'", password.display())),
        ] {
            if !self.settings.lines().any(|l| l.starts_with(&format!("{name} "))) {
                lines.push(format!("{name} = {value}"));
            }
        }
        lines.push(self.settings.clone());
        toml::from_str(&lines.join("\n")).unwrap()
    }

    /// Starts the source; the tables' owner does what the source asks for.
    pub async fn start(&self) -> Running {
        let running = self.start_alone().await;
        let (db_owner, reporter) = (self.db.owner().await, running.reporter.clone());
        let owner = tokio::spawn(async move {
            let mut status = reporter.subscribe();
            loop {
                let wanted: Vec<Problem> = status.borrow_and_update().problems.clone();
                for problem in wanted.iter().filter(|p| p.code == "publication_missing" || p.code == "not_published") {
                    // It may be done already: the source looks only now and then.
                    let _ = db_owner.batch_execute(problem.fix.as_ref().unwrap()).await;
                }
                if status.changed().await.is_err() {
                    return;
                }
            }
        });
        Running { owner, ..running }
    }

    pub async fn start_alone(&self) -> Running {
        let opened = self.platform.open(self.folder.path(), self.limits).await;
        let writer = opened.spool.writer().unwrap();
        let reporter = StatusReporter::new();
        let shutdown = CancellationToken::new();
        let (commands, receiver) = mpsc::channel(4);
        let (policy, masks) = (self.policy.clone(), self.masks.clone());
        let run = self.config().run(policy, masks, writer, reporter.clone(), receiver, shutdown.clone());
        let task = tokio::spawn(run);
        Running { task, owner: tokio::spawn(async {}), reporter, commands, shutdown, opened }
    }

    pub async fn sql(&self, sql: &str) {
        self.owner.batch_execute(sql).await.unwrap_or_else(|e| panic!("{sql}: {e:?}"));
    }

    /// The table as text, in the forms the source's session has.
    pub async fn rows(&self, table: &str) -> Vec<Row> {
        let set = "set datestyle = 'ISO'; set timezone = 'UTC'; set intervalstyle = 'postgres';
                   set bytea_output = 'hex'; set extra_float_digits = 3;";
        self.owner.batch_execute(set).await.unwrap();
        let messages = self.owner.simple_query(&format!("select * from {table}")).await.unwrap();
        let mut rows: Vec<Row> = messages
            .iter()
            .filter_map(|m| match m {
                SimpleQueryMessage::Row(row) => Some(
                    (0..row.len())
                        .map(|i| (row.columns()[i].name().to_owned(), row.get(i).map(str::to_owned)))
                        .collect(),
                ),
                _ => None,
            })
            .collect();
        rows.sort();
        rows
    }

    /// Waits until every change up to now is durable.
    pub async fn quiesce(&self) {
        let marker = self.mark().await;
        clarity_testkit::wait_until("all changes are durable", PATIENCE, || async {
            self.platform.has(|e| e.op == clarity_wire::body::Op::Heartbeat && e.xid >= marker)
        })
        .await;
    }

    /// A heartbeat of the owner's; its transaction id.
    pub async fn mark(&self) -> u64 {
        let row = self
            .owner
            .query_one("select pg_current_xact_id()::text, pg_logical_emit_message(true, 'clarity', 'mark')", &[])
            .await
            .unwrap();
        row.get::<_, String>(0).parse().unwrap()
    }

    pub async fn snapshot_done(&self, running: &Running, table: &str) {
        clarity_testkit::wait_until("the snapshot is done", PATIENCE, || async {
            running.status().snapshot.iter().any(|s| s.stream == table && s.done)
                && self.platform.has(|e| e.op == clarity_wire::body::Op::SnapshotEnd && e.is_of(table))
        })
        .await;
    }
}

impl Running {
    pub fn status(&self) -> SourceStatus {
        self.reporter.get()
    }

    pub async fn problem(&self, code: &str) -> Problem {
        let mut found = None;
        clarity_testkit::wait_until(&format!("problem {code} is told"), PATIENCE, || {
            found = self.status().problems.iter().find(|p| p.code == code).cloned();
            let told = found.is_some();
            async move { told }
        })
        .await;
        found.unwrap()
    }

    pub async fn streaming(&self) {
        clarity_testkit::wait_until("it streams", PATIENCE, || async {
            ["streaming", "snapshot"].contains(&self.status().state.as_str())
        })
        .await;
    }

    /// As a crash does: wherever it stands.
    pub async fn kill(self) {
        self.task.abort();
        self.owner.abort();
        let _ = self.task.await;
        self.opened.close().await;
    }

    pub async fn stop(self) -> Result<(), SourceError> {
        self.shutdown.cancel();
        self.owner.abort();
        let ended = tokio::time::timeout(Duration::from_secs(5), self.task).await.expect("it stops in time").unwrap();
        self.opened.close().await;
        ended
    }

    /// Waits for its end.
    pub async fn ended(self) -> Result<(), SourceError> {
        self.owner.abort();
        let ended = tokio::time::timeout(PATIENCE, self.task).await.expect("it ends").unwrap();
        self.opened.close().await;
        ended
    }
}
