//! `clarity-workers`: ingest, refine, rollup, compaction, retention, and the commands that rebuild and verify.

use clap::Parser;
use clarity_runtime::clock;
use clarity_runtime::database::{self, DbRole};
use clarity_runtime::{install_tls_provider, shutdown, telemetry};
use clarity_store::{AuthStore, IngestStore};
use clarity_workers::config::{Cli, Command, DeadLetters, Role, Run};
use clarity_workers::context::WorkerContext;
use clarity_workers::{audit, compact, dead_letters, erase, health, ingest, rebuild, refine, retain, rollup, verify};
use tokio::task::JoinSet;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    install_tls_provider();
    telemetry::start();
    match Cli::parse().command {
        Command::Run(config) => run(config).await,
        Command::Rebuild(of) => rebuild::run_command(&WorkerContext::from_env().await?, &of.workspace).await,
        Command::Verify(of) => {
            let context = WorkerContext::from_env().await?;
            verify::run_command(&context, &of.workspace.workspace, of.json.as_deref()).await
        }
        Command::AuditVerify(of) => audit::verify_command(&WorkerContext::from_env().await?, &of.workspace).await,
        Command::Retain(of) => retain::run_command(&WorkerContext::from_env().await?, &of.workspace).await,
        Command::DeadLetters { command: DeadLetters::List(of) } => {
            dead_letters::list_command(&WorkerContext::from_env().await?, &of.workspace).await
        }
        Command::DeadLetters { command: DeadLetters::Replay(of) } => {
            dead_letters::replay_command(&WorkerContext::from_env().await?, &of.workspace).await
        }
    }
}

/// Runs the roles beside each other. The first that fails ends the process: whoever watches it starts it again.
async fn run(config: Run) -> anyhow::Result<()> {
    let stop = shutdown::on_signal()?;
    let mut roles = JoinSet::new();
    let works = [Role::Refine, Role::Rollup, Role::Compact, Role::Retain].into_iter().any(|role| config.has(role));
    database::warn_of_needless(own_roles(works, config.has(Role::Ingest)));
    if works {
        let context = WorkerContext::from_env().await?;
        let (system, stop_watching) = (context.system.clone(), stop.clone());
        roles.spawn(async move {
            clock::watch(|| async { system.clock_us().await.ok() }, stop_watching).await;
            Ok(())
        });
        if let Some(address) = config.health_listen {
            roles.spawn(health::run(address, context.system.clone(), stop.clone()));
        }
        if config.has(Role::Refine) {
            roles.spawn(refine::run(context.clone(), stop.clone()));
        }
        if config.has(Role::Rollup) {
            roles.spawn(rollup::run(context.clone(), stop.clone()));
        }
        if config.has(Role::Compact) {
            roles.spawn(compact::run(context.clone(), stop.clone()));
        }
        if config.has(Role::Retain) {
            roles.spawn(erase::run(context.clone(), stop.clone()));
            roles.spawn(retain::run(context, stop.clone()));
        }
    }
    if config.has(Role::Ingest) {
        let (auth, store) = (AuthStore::from_env(6).await?, IngestStore::from_env(16).await?);
        if !works {
            let (auth, stop_watching) = (auth.clone(), stop.clone());
            roles.spawn(async move {
                clock::watch(|| async { auth.clock_us().await.ok() }, stop_watching).await;
                Ok(())
            });
        }
        let stop = stop.clone();
        roles.spawn(async move { ingest::run(&config, auth, store, stop).await });
    }
    let mut result = Ok(());
    while let Some(ended) = roles.join_next().await {
        stop.cancel();
        let ended = ended.map_err(anyhow::Error::from).and_then(|r| r);
        if result.is_ok() {
            result = ended;
        }
    }
    result
}

/// As whom this process enters the database.
const fn own_roles(works: bool, ingests: bool) -> &'static [DbRole] {
    match (works, ingests) {
        (true, true) => &[DbRole::Worker, DbRole::System, DbRole::Auth, DbRole::Ingest],
        (true, false) => &[DbRole::Worker, DbRole::System],
        (false, _) => &[DbRole::Auth, DbRole::Ingest],
    }
}
