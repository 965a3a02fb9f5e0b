//! `clarity-services`: starts, finds and stops the private Postgres clusters of the demo, the tests and the benchmarks.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand, ValueEnum};
use clarity_testkit::{Cluster, StopMode};
use serde_json::{Value, json};

#[derive(Parser)]
#[command(name = "clarity-services", about = "Private Postgres clusters: start, find, stop")]
struct Args {
    #[command(subcommand)]
    command: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make the cluster where it is missing, start it where it is stopped, print how to reach it
    Up {
        #[arg(long)]
        dir: PathBuf,
        /// What it is for: its database has this name too
        #[arg(long, value_enum, default_value_t = Name::Platform)]
        name: Name,
        /// wal_level=logical
        #[arg(long)]
        logical: bool,
        #[arg(long)]
        port: Option<u16>,
        /// Further settings of postgresql.conf, name=value
        #[arg(long = "set", value_parser = setting)]
        settings: Vec<(String, String)>,
    },
    /// Stop it; its data stays
    Down {
        #[arg(long)]
        dir: PathBuf,
        /// Delete its data too
        #[arg(long)]
        remove: bool,
    },
    /// Print whether it runs
    Status {
        #[arg(long)]
        dir: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Platform,
    Customer,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clarity-services: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let answer = match Args::parse().command {
        Verb::Up { dir, name, logical, port, settings } => up(dir, name, logical, port, settings)?,
        Verb::Down { dir, remove } => down(dir, remove)?,
        Verb::Status { dir } => match Cluster::find(dir)? {
            Some(cluster) => describe(&cluster, None),
            None => json!({ "state": "absent" }),
        },
    };
    println!("{}", serde_json::to_string_pretty(&answer)?);
    Ok(())
}

fn up(dir: PathBuf, name: Name, logical: bool, port: Option<u16>, settings: Vec<(String, String)>) -> Result<Value> {
    let wanted = std::path::absolute(&dir)?;
    let (database, shared_buffers) = match name {
        Name::Platform => ("platform", "512MB"),
        Name::Customer => ("customer", "256MB"),
    };
    let mut builder = Cluster::builder(dir).logical(logical).port(port).setting("shared_buffers", shared_buffers);
    for (name, value) in &settings {
        builder = builder.setting(name, value);
    }
    let cluster = builder.start()?;
    if cluster.dir() != wanted {
        eprintln!(
            "the user postgres cannot enter {}, so the cluster lives in {}",
            wanted.display(),
            cluster.dir().display()
        );
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(clarity_testkit::cluster::ensure_database(&cluster, database))?;
    Ok(describe(&cluster, Some(database)))
}

fn down(dir: PathBuf, remove: bool) -> Result<Value> {
    let Some(cluster) = Cluster::find(dir)? else { return Ok(json!({ "state": "absent" })) };
    cluster.stop(StopMode::Fast)?;
    if remove {
        cluster.remove()?;
        return Ok(json!({ "state": "absent" }));
    }
    Ok(describe(&cluster, None))
}

fn describe(cluster: &Cluster, database: Option<&str>) -> Value {
    json!({
        "state": if cluster.is_ready() { "running" } else { "stopped" },
        "host": "127.0.0.1",
        "port": cluster.port(),
        "user": clarity_testkit::cluster::SUPERUSER,
        "password": cluster.password(),
        "database": database,
        "data_dir": cluster.data_dir(),
        "pid": cluster.pid(),
    })
}

fn setting(text: &str) -> Result<(String, String)> {
    let (name, value) = text.split_once('=').context("expected name=value")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
