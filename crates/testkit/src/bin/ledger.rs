//! `clarity-ledger`: writes changes that it keeps count of, and checks that bronze holds each of them once and folds to
//! the customer's tables.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use clarity_testkit::cluster::connect;
use clarity_testkit::ledger::{self, Check, Settle, Write};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

#[derive(Parser)]
#[command(name = "clarity-ledger", about = "The oracle of the fault tests")]
struct Cli {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make the writer's table in the customer's database
    Init {
        #[arg(long)]
        url: String,
    },
    /// Insert, update and delete rows, and keep in a file what was committed
    Write {
        #[arg(long)]
        url: String,
        #[arg(long)]
        out: PathBuf,
        #[arg(long)]
        seconds: Option<u64>,
        /// Stop after so many transactions
        #[arg(long)]
        transactions: Option<u64>,
        /// Transactions a second, at most
        #[arg(long, default_value_t = 25)]
        rate: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
    },
    /// Compare bronze with the customer's tables; both connections are the superuser's
    Check {
        #[arg(long)]
        platform_url: String,
        #[arg(long)]
        customer_url: String,
        #[arg(long)]
        source: Option<String>,
        /// What `write` kept
        #[arg(long)]
        ledger: Option<PathBuf>,
        /// How long everything may take to become durable
        #[arg(long, default_value_t = 60)]
        wait_s: u64,
        /// Wait for refine too
        #[arg(long)]
        refined: bool,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("clarity-ledger: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(cli: Cli) -> Result<bool> {
    match cli.command {
        Verb::Init { url } => {
            ledger::init(&connect(&url).await?).await?;
            println!("{}", json!({ "tables": ["ledger"] }));
        }
        Verb::Write { url, out, seconds, transactions, rate, seed } => {
            let write = Write { url, out, seconds, transactions, rate, seed };
            let written = ledger::write(write, stop_signal()?).await?;
            println!("{}", serde_json::to_string(&written)?);
        }
        Verb::Check { platform_url, customer_url, source, ledger, wait_s, refined } => {
            let settle = Settle { limit: Duration::from_secs(wait_s), refined };
            let report = ledger::check(&Check { platform_url, customer_url, source, ledger, settle }).await?;
            println!("{}", serde_json::to_string_pretty(&report)?);
            return Ok(report.is_clean());
        }
    }
    Ok(true)
}

fn stop_signal() -> Result<watch::Receiver<bool>> {
    let (sender, receiver) = watch::channel(false);
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        sender.send_replace(true);
    });
    Ok(receiver)
}
