//! `clarity-server`: the web server, and the commands that make its database and first workspaces.

use std::process::ExitCode;

use clap::Parser;
use clarity_server::cli::{Command, Options};
use clarity_server::{admin, anchors, plan, serve, setup};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    clarity_runtime::install_tls_provider();
    clarity_runtime::telemetry::start();
    let done = match Options::parse().command {
        Command::Bootstrap { admin_url } => setup::bootstrap(&admin_url).await,
        Command::Migrate => setup::migrate().await,
        Command::Serve(options) => serve::run(options).await,
        Command::SetPlan { workspace, plan, limits } => plan::set(&workspace, plan, limits).await,
        Command::AuditAnchors { since } => anchors::print(since.as_deref()).await,
        Command::VerifyAudit { anchors: file } => anchors::verify(&file).await,
        Command::Admin { command } => admin::run(command).await,
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // For the person who ran it: what happened, not where in our code.
            eprintln!("clarity-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}
