//! One run of a Postgres source: connect, find the place where reading goes on, stream, until shutdown or a problem.

use super::config::PostgresConfig;
use super::connect::connect;
use super::position::Position;
use super::problems;
use super::repair;
use super::setup::{self, Published, Server};
use super::watch::Problems;
use crate::masks::SourceMasks;
use crate::sources::{Policy, SourceError};
use crate::spool::SpoolWriter;
use crate::status::StatusReporter;
use clarity_wire::frame::{Command, Problem};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;

const PUBLICATION_PATIENCE: Duration = Duration::from_secs(2);

pub async fn run(
    config: PostgresConfig,
    policy: Policy,
    masks: SourceMasks,
    spool: SpoolWriter,
    reporter: StatusReporter,
    commands: mpsc::Receiver<Command>,
    shutdown: CancellationToken,
) -> Result<(), SourceError> {
    let problems = Problems::new(reporter.clone());
    problems.set("run", []);
    reporter.update(|s| s.state = "connecting".into());
    let run = Run {
        config: &config,
        policy: &policy,
        masks: &masks,
        reporter: &reporter,
        problems: &problems,
        shutdown: &shutdown,
    };
    let ended = Box::pin(run.run(spool, commands)).await;
    if let Err(SourceError::Problem(problem)) = &ended {
        problems.set("run", [problem.clone()]);
        let state = if problem.fatal { "failed" } else { "connecting" };
        reporter.update(|s| s.state = state.into());
    }
    ended
}

/// What all parts of a run share.
pub struct Run<'a> {
    pub config: &'a PostgresConfig,
    pub policy: &'a Policy,
    pub masks: &'a SourceMasks,
    pub reporter: &'a StatusReporter,
    pub problems: &'a Problems,
    pub shutdown: &'a CancellationToken,
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
}

fn unreadable_position(error: &serde_json::Error) -> Problem {
    problems::fatal("position", format!("the stored position cannot be read: {error}"), None)
}
