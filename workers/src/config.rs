//! The command line of `clarity-workers`.

use clap::{Parser, Subcommand, ValueEnum};
use clarity_domain::plan::Plan;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Clarity Stream's workers: they take what agents send, refine it, roll it up and keep it in order.
#[derive(Debug, Parser)]
#[command(name = "clarity-workers", version)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run one or more roles until SIGTERM.
    Run(Run),
    /// Make a workspace's read models anew from bronze.
    Rebuild(Workspace),
    /// Compare a workspace's read models with what bronze says they should be.
    Verify(Verify),
    /// Check that a workspace's audit log is whole: nothing in it was changed or removed.
    AuditVerify(Workspace),
    /// Remove what a workspace keeps no longer, now.
    Retain(Workspace),
    /// List dead letters by cause, or try them again.
    DeadLetters {
        #[command(subcommand)]
        command: DeadLetters,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    All,
    /// Takes batches from agents into bronze.
    Ingest,
    /// Bronze to read models.
    Refine,
    /// Samples to 1m, 1h and 1d.
    Rollup,
    /// Hot chunks to sealed ones.
    Compact,
    /// What is kept no longer goes, and workspaces whose deletion is due.
    Retain,
}

#[derive(Debug, clap::Args)]
pub struct Run {
    #[arg(long, value_delimiter = ',', default_value = "all")]
    pub roles: Vec<Role>,
    /// Where agents connect.
    #[arg(long, default_value = "127.0.0.1:7443", env = "CLARITY_INGEST_LISTEN")]
    pub ingest_listen: SocketAddr,
    /// Certificate chain, PEM. Without it ingest only listens on a loopback address.
    #[arg(long, requires = "tls_key", env = "CLARITY_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// Private key, PEM.
    #[arg(long, requires = "tls_cert", env = "CLARITY_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
    /// Where `/healthz` answers when this process has no ingest role.
    #[arg(long)]
    pub health_listen: Option<SocketAddr>,
    /// The plan of workspaces for which none was set: unlimited, trial, standard, enterprise. Tell the server the same.
    #[arg(long, default_value = "unlimited", env = "CLARITY_DEFAULT_PLAN")]
    pub default_plan: Plan,
}

impl Run {
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role) || self.roles.contains(&Role::All)
    }
}

#[derive(Debug, clap::Args)]
pub struct Workspace {
    /// The workspace's slug, as in its address.
    #[arg(long)]
    pub workspace: String,
}

#[derive(Debug, clap::Args)]
pub struct Verify {
    #[command(flatten)]
    pub workspace: Workspace,
    /// Write the figures here as JSON too.
    #[arg(long)]
    pub json: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum DeadLetters {
    List(Workspace),
    Replay(Workspace),
}
