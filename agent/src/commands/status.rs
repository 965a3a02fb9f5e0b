//! `status`: how the running agent is, from the file that `run` writes each second.

use super::run::StatusFile;
use crate::identity::StateDir;
use crate::uplink::{ConnectionState, now_us};
use anyhow::{Context, Result};
use std::fmt::Write;

/// Older than this, no agent is running.
const FRESH_US: i64 = 10_000_000;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print the file as JSON.
    #[arg(long)]
    json: bool,
}

/// Prints the status; true when the agent runs and is connected.
pub fn run(dir: &StateDir, args: &Args) -> Result<bool> {
    let path = dir.status();
    let bytes = std::fs::read(&path)
        .with_context(|| format!("cannot read {}; is the agent running on this folder?", path.display()))?;
    let status: StatusFile = serde_json::from_slice(&bytes).context("status.json cannot be read")?;
    let running = now_us() - status.at_us < FRESH_US;
    if args.json {
        let mut value = serde_json::to_value(&status)?;
        value["running"] = running.into();
        println!("{}", serde_json::to_string_pretty(&value)?);
    } else {
        print!("{}", text(&status, running));
    }
    Ok(running && status.connection.state == ConnectionState::Connected)
}

fn text(status: &StatusFile, running: bool) -> String {
    let mut out = String::new();
    let c = &status.connection;
    let state = match c.state {
        ConnectionState::Connected => "connected",
        ConnectionState::Connecting => "connecting",
        ConnectionState::Waiting => "not connected, trying again",
        ConnectionState::Denied => "refused by the platform",
    };
    if running {
        let _ = writeln!(out, "{} {}: {state} ({})", status.name, status.version, c.server);
    } else {
        let ago = (now_us() - status.at_us) / 1_000_000;
        let _ = writeln!(out, "{}: not running; last heard of {ago} s ago", status.name);
    }
    if let Some(message) = &c.message {
        let _ = writeln!(out, "  {message}");
    }
    for source in &status.sources {
        let s = &source.status;
        let _ = writeln!(
            out,
            "{}: {}  {}  read {} events, {} waiting ({} ms)",
            source.name,
            if s.state.is_empty() { "starting" } else { &s.state },
            s.product,
            s.read_events,
            bytes(s.spool_bytes),
            s.unconfirmed_ms,
        );
        for snapshot in s.snapshot.iter().filter(|p| !p.done) {
            let of = snapshot.rows_estimated.map_or(String::new(), |n| format!(" of about {n}"));
            let _ = writeln!(out, "  snapshot of {}: {} rows{of}", snapshot.stream, snapshot.rows_done);
        }
        for problem in &s.problems {
            let _ = writeln!(out, "  {}: {}", if problem.fatal { "failed" } else { "attention" }, problem.message);
            if let Some(fix) = &problem.fix {
                let _ = writeln!(out, "    {}", fix.replace('\n', "\n    "));
            }
        }
    }
    out
}

fn bytes(n: u64) -> String {
    match n {
        0..1024 => format!("{n} B"),
        1024..1_048_576 => format!("{:.1} KiB", n as f64 / 1024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", n as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", n as f64 / 1_073_741_824.0),
    }
}
