//! What it was measured on: one line above the table.

use std::fs;

use anyhow::Result;

use super::session::Session;

pub fn line(platform: &mut Session) -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let postgres: String = platform.get("show server_version")?;
    let fsync: String = platform.get("show fsync")?;
    let commit: String = platform.get("show synchronous_commit")?;
    Ok(format!(
        "{cores} cores, {}, {} GB memory; Postgres {postgres}, fsync {fsync}, synchronous_commit {commit}",
        field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".into()),
        field("/proc/meminfo", "MemTotal")
            .and_then(|kb| Some(kb.split(' ').next()?.parse::<u64>().ok()? >> 20))
            .unwrap_or(0),
    ))
}

/// The one-minute average of runnable processes: on a busy machine the figures say little.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
