//! `cargo xtask demo`: from a fresh clone to a page with live fleet data, by one command. A second run keeps its data.

use std::{fs, time::Duration};

use anyhow::{Result, bail};
use clap::Args;

use crate::{
    build,
    paths::{Mode, Paths},
    process::step,
    services, setup,
    stack::{Interrupt, Secrets, Stack, expect_free, leftovers},
};

const EMAIL: &str = "owner@demo.example";
const WORKSPACE: &str = "Demo plant";
const PORT: u16 = 8080;
const HISTORY_ROWS_PER_SECOND: u64 = 10;
/// What `clarity-plant` writes by default.
const MACHINES: u64 = 100;
/// An engine stays in one recorded cycle for a minute, in history as live: a chart of an hour shows it age, not a whole
/// life every two minutes. Rows between two cycles are interpolated, and say so.
const CYCLE_S: u64 = 60;

#[derive(Debug, Args)]
pub struct Demo {
    /// Begin anew: forget the databases, the agent and the login of the last run
    #[arg(long)]
    fresh: bool,
    /// Where the web app answers
    #[arg(long, default_value_t = PORT)]
    port: u16,
    /// Rows of telemetry that the plant writes in a second, 1 to 50000
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Run what was built last
    #[arg(long)]
    no_build: bool,
    /// Stop by itself after so many seconds
    #[arg(long)]
    seconds: Option<u64>,
}

pub fn main(paths: &Paths, args: &Demo) -> Result<()> {
    let dir = paths.demo();
    fs::create_dir_all(&dir)?;
    let lock = single(&dir)?;
    leftovers::end(&dir)?;
    let advice = format!("Stop what uses it, or choose another: cargo xtask demo --port {}", args.port + 1);
    expect_free(args.port, &advice)?;
    let interrupt = Interrupt::listen()?;
    step("what this machine needs", || setup::for_stack(paths))?;
    if !args.no_build {
        build::all(paths, Mode::Release)?;
    }
    if args.fresh {
        step("forget the last run", || forget(paths))?;
    }
    let secrets = Secrets::ensure(&dir, Some(args.port))?;
    expect_free(
        secrets.ingest_port,
        "It was the agents' port of the last run: stop what uses it, or run with --fresh",
    )?;

    let mut stack = Stack::new(paths, Mode::Release, &dir, &interrupt, Some(args.port))?;
    let outcome = serve(&mut stack, args);
    let stopped = step("stop everything", || stack.stop_all());
    drop(lock);
    if interrupt.came() {
        return stopped;
    }
    outcome.and(stopped)
}

fn serve(stack: &mut Stack, args: &Demo) -> Result<()> {
    let database_url = std::env::var("DATABASE_URL").ok();
    step("the platform's database: roles, migrations", || stack.start_platform(database_url.as_deref()))?;
    step("server", || stack.start_server())?;
    step("workers, all roles", || stack.start_workers("workers", "all"))?;
    step("the customer's database and its tables", || stack.start_customer())?;
    step("an hour of the plant's history", || write_history(stack))?;
    let plant = format!("plant, {} rows a second", args.rate);
    let rows_per_cycle = rows_per_cycle(u64::from(args.rate));
    step(&plant, || stack.start_plant(args.rate, &["--quiet", "--rows-per-cycle", &rows_per_cycle]))?;
    let workspace = step("workspace and login", || stack.create_workspace(WORKSPACE, EMAIL, "Demo Owner"))?;
    step("agent: paired, approved, running", || stack.start_agent(&workspace.slug))?;
    stack.check()?;
    announce(stack, &workspace.slug);

    let seconds = args.seconds.map(Duration::from_secs);
    let started = std::time::Instant::now();
    while !stack.interrupt.came() && seconds.is_none_or(|limit| started.elapsed() < limit) {
        stack.check()?;
        std::thread::sleep(Duration::from_millis(200));
    }
    eprintln!();
    Ok(())
}

/// So that the first page is full: a row of each machine every ten seconds, and the states of that hour. Only before the
/// plant has ever written: a second run has what the first one wrote.
fn write_history(stack: &Stack) -> Result<()> {
    let status: serde_json::Value = serde_json::from_str(&stack.plant_command(&["status"])?)?;
    if status["telemetry"] == 0 {
        let rows = (HISTORY_ROWS_PER_SECOND * 3600).to_string();
        let rate = HISTORY_ROWS_PER_SECOND.to_string();
        let rows_per_cycle = rows_per_cycle(HISTORY_ROWS_PER_SECOND);
        stack.plant_command(&[
            "backfill",
            "--rows",
            &rows,
            "--rate",
            &rate,
            "--rows-per-cycle",
            &rows_per_cycle,
            "--quiet",
        ])?;
    }
    Ok(())
}

/// Rows of one machine in a cycle, at so many rows a second of all machines.
fn rows_per_cycle(rate: u64) -> String {
    (rate * CYCLE_S / MACHINES).max(1).to_string()
}

fn announce(stack: &Stack, slug: &str) {
    let url = stack.web_url();
    println!("\n  Clarity Stream runs at {url}\n");
    println!("    sign in as   {EMAIL}");
    println!("    password     {}\n", stack.secrets.person_password);
    println!("  Look at");
    println!("    {url}/w/{slug}            the fleet, live: a value changes on the page when the machine's changes");
    println!("    {url}/w/{slug}/sources    the agent and its source: how far behind, how much is on its way");
    println!("    {url}/dev/mail                the letters that it would have sent: confirmations, invitations");
    println!("\n  What runs (its log in .clarity/logs)");
    for (name, pid, log) in stack.processes() {
        let log = log.file_name().unwrap_or_default().to_string_lossy();
        println!("    {name:<10} {pid:>8}   {log}");
    }
    println!("\n  Ctrl-C stops all of it. The data stays for the next run; --fresh begins anew.\n");
}

/// The folder, without what another run could still need to be found: the lock.
fn forget(paths: &Paths) -> Result<()> {
    for name in ["platform", "customer"] {
        services::down_and_remove(paths, Mode::Release, &paths.demo().join(name))?;
    }
    for entry in fs::read_dir(paths.demo())? {
        let path = entry?.path();
        if path.is_dir() {
            fs::remove_dir_all(path)?;
        } else if path.file_name().is_some_and(|name| name != LOCK) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

const LOCK: &str = "lock";

/// One demo in a folder: two would share its clusters, and one would stop them under the other.
fn single(dir: &std::path::Path) -> Result<fs::File> {
    let lock = fs::File::options().create(true).truncate(false).write(true).open(dir.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => {
            bail!("The demo already runs in {}. Stop it with Ctrl-C first.", dir.display())
        }
        Err(fs::TryLockError::Error(error)) => Err(error.into()),
    }
}
