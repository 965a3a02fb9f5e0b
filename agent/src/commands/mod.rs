//! The subcommands of `clarity-agent`.

pub mod doctor;
pub mod pair;
pub mod run;
pub mod status;

use crate::identity::StateDir;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Reads databases and brokers beside it and sends what they say to Clarity Stream, over one outward connection.
#[derive(Debug, Parser)]
#[command(name = "clarity-agent", version)]
pub struct Cli {
    /// The agent's folder: configuration, key, spool.
    #[arg(long, global = true, default_value = "/var/lib/clarity-agent", env = "CLARITY_AGENT_STATE")]
    state: PathBuf,
    #[command(subcommand)]
    command: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Pair this agent with a workspace, with a code from the web app.
    Pair(pair::Args),
    /// Read the configured sources and send.
    Run,
    /// Say how a running agent is.
    Status(status::Args),
    /// Check everything this agent needs, and say what to do.
    Doctor(doctor::Args),
}

/// Runs the command; a failure is one clear sentence on stderr.
pub async fn run(cli: Cli) -> ExitCode {
    let dir = StateDir::new(cli.state);
    let done = match cli.command {
        Verb::Pair(args) => pair::run(&dir, args).await.map(|()| true),
        Verb::Run => run::run(&dir).await.map(|()| true),
        Verb::Status(args) => status::run(&dir, &args),
        Verb::Doctor(args) => doctor::run(&dir, &args).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("clarity-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}
