//! Running Postgres' own programs as the cluster's user, and finding and ending its processes.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::place::Account;

/// What of our environment goes on to the server: a test may give it another clock.
const CLOCK: [&str; 2] = ["LD_PRELOAD", "CLOCK_SHIFT_S"];

/// A command that runs as the cluster's user, with nothing of our environment but `PATH` and [`CLOCK`].
pub fn command(program: &Path, account: Option<Account>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
    command.envs(CLOCK.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    if let Some(account) = account {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Runs to the end; the error carries what the program said.
pub fn run(mut command: Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = if said.trim().is_empty() { String::from_utf8_lossy(&output.stdout) } else { said };
        bail!("{} ended with {}: {}", command.get_program().display(), output.status, said.trim());
    }
    Ok(())
}

/// The postmaster of `data_dir`, when it lives. A pid that now belongs to another program does not count.
pub fn postmaster(data_dir: &Path) -> Option<u32> {
    let pid = recorded_pid(data_dir)?;
    is_postgres(pid).then_some(pid)
}

/// True once the server accepts connections: Postgres writes so into its pid file.
pub fn is_ready(data_dir: &Path) -> bool {
    let file = fs::read_to_string(data_dir.join("postmaster.pid")).unwrap_or_default();
    file.lines().nth(7).is_some_and(|line| line.trim_end() == "ready")
}

/// A pid file left by a server that was killed, whose number another program has since got (or that nobody has
/// reaped yet), keeps Postgres from starting. Removes such a file.
pub fn clear_stale_pid_file(data_dir: &Path) -> Result<()> {
    if let Some(pid) = recorded_pid(data_dir)
        && Path::new(&format!("/proc/{pid}")).exists()
        && !is_postgres(pid)
    {
        fs::remove_file(data_dir.join("postmaster.pid")).context("cannot remove a stale postmaster.pid")?;
    }
    Ok(())
}

/// `kill -9` of the postmaster and all its backends, as when the machine loses them. Returns when all are gone.
pub fn kill_all(postmaster: u32) -> Result<()> {
    // Stopped first, so that it forks no backend while we look.
    signal("STOP", &[postmaster])?;
    let mut doomed = children(postmaster);
    doomed.push(postmaster);
    signal("KILL", &doomed)?;
    let started = Instant::now();
    while let Some(pid) = doomed.iter().find(|pid| is_postgres(**pid)) {
        if started.elapsed() > Duration::from_secs(10) {
            bail!("process {pid} still lives 10 s after kill -9");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn signal(name: &str, pids: &[u32]) -> Result<()> {
    // The shell's own `kill`: there is no safe call in std, and the program `kill` is not everywhere. A process that is
    // gone already is fine.
    let list = pids.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    Command::new("sh")
        .arg("-c")
        .arg(format!("kill -{name} {list} 2>/dev/null; :"))
        .status()
        .context("cannot run sh")?;
    Ok(())
}

fn recorded_pid(data_dir: &Path) -> Option<u32> {
    fs::read_to_string(data_dir.join("postmaster.pid")).ok()?.lines().next()?.trim().parse().ok()
}

/// Alive (a zombie is not) and a Postgres.
fn is_postgres(pid: u32) -> bool {
    stat(pid).is_some_and(|(name, state, _)| name.starts_with("postgres") && state != "Z" && state != "X")
}

fn children(parent: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|pid| stat(*pid).is_some_and(|(_, _, parent_of)| parent_of == parent))
        .collect()
}

/// Name, state and parent of a process, from `/proc/<pid>/stat`.
fn stat(pid: u32) -> Option<(String, String, u32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, tail) = text.rsplit_once(')')?;
    let name = head.split_once('(')?.1.to_owned();
    let mut fields = tail.split_whitespace();
    Some((name, fields.next()?.to_owned(), fields.next()?.parse().ok()?))
}
