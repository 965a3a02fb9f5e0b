//! Sources: what the agent reads. One folder a kind; other layers treat a kind as data.
//!
//! A source appends blocks to its spool, with a position in each, and confirms to its system only what the spool says
//! is kept. It reads nothing that the operator's [`Policy`] does not allow, and what a block holds is masked.

mod policy;
pub mod postgres;
mod secret;

pub use policy::{LocalMask, Patterns, Policy};
pub use secret::Secret;

use crate::masks::SourceMasks;
use crate::spool::{SpoolError, SpoolWriter};
use crate::status::StatusReporter;
use clarity_wire::frame::{Command, Problem};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// A `[[source]]` of `agent.toml`, by its `kind`.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SourceConfig {
    Postgres(postgres::PostgresConfig),
}

/// What a kind of source is, for the wizard: neither server nor pages know a kind's name.
#[derive(Clone, Debug, Serialize)]
pub struct Descriptor {
    pub kind: &'static str,
    pub label: &'static str,
    pub capabilities: &'static [&'static str],
    /// JSON Schema of the settings.
    pub settings: serde_json::Value,
}

/// Every kind this agent can read.
pub fn descriptors() -> Vec<Descriptor> {
    vec![postgres::descriptor()]
}

/// Why a source stopped.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// `fatal` in it: not before a person acted. Otherwise the supervisor tries again after a pause.
    #[error("{}", .0.message)]
    Problem(Problem),
    #[error(transparent)]
    Spool(#[from] SpoolError),
}

impl SourceError {
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            Self::Spool(_) => None,
        }
    }
}

impl From<Problem> for SourceError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// One line of `clarity-agent doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: String,
    pub outcome: Outcome,
    pub detail: String,
    /// What to do, with the exact SQL where it is SQL.
    pub fix: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Passed,
    Attention,
    Failed,
}

impl Check {
    pub fn passed(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::Passed, detail: detail.into(), fix: None }
    }

    /// A problem as a line: failed when reading stops because of it.
    pub fn of(name: impl Into<String>, problem: Problem) -> Self {
        let outcome = if problem.fatal { Outcome::Failed } else { Outcome::Attention };
        Self { name: name.into(), outcome, detail: problem.message, fix: problem.fix }
    }
}

impl SourceConfig {
    /// The agent's own name for the source.
    pub fn name(&self) -> &str {
        match self {
            Self::Postgres(config) => &config.name,
        }
    }

    pub fn kind(&self) -> &'static str {
        match self {
            Self::Postgres(_) => postgres::KIND,
        }
    }

    /// Reads until `shutdown` or a problem. The supervisor restarts it with jittered back-off and a fresh writer.
    pub async fn run(
        self,
        policy: Policy,
        masks: SourceMasks,
        spool: SpoolWriter,
        reporter: StatusReporter,
        commands: mpsc::Receiver<Command>,
        shutdown: CancellationToken,
    ) -> Result<(), SourceError> {
        match self {
            Self::Postgres(config) => {
                Box::pin(postgres::run(config, policy, masks, spool, reporter, commands, shutdown)).await
            }
        }
    }

    /// What `doctor` prints: everything this source needs, checked now.
    pub async fn check(&self, policy: &Policy) -> Vec<Check> {
        match self {
            Self::Postgres(config) => Box::pin(postgres::check(config, policy)).await,
        }
    }
}
