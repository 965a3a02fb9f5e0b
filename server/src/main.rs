//! `clarity-server`: the web server, and the commands that make its database and first workspaces.

use clap::Parser;
use clarity_server::cli::{Command, Options};
use clarity_server::{admin, serve, setup};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    clarity_runtime::install_tls_provider();
    clarity_runtime::telemetry::start();
    match Options::parse().command {
        Command::Bootstrap { admin_url } => setup::bootstrap(&admin_url).await,
        Command::Migrate => setup::migrate().await,
        Command::Serve(options) => serve::run(options).await,
        Command::Admin { command } => admin::run(command).await,
    }
}
