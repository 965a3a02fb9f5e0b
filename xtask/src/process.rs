//! Running other programs: one step, one line with its title and its time.
//!
//! Every cargo started here has the variables that our own cargo gave us taken away. Passed on, they make build scripts
//! that watch them (ring's, and so all above it) run again whenever `cargo` and `cargo xtask` take turns.

use std::{
    ffi::OsStr,
    os::unix::process::CommandExt as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::stack::Interrupt;

/// A cargo for the workspace.
pub fn cargo(root: &Path) -> Command {
    let mut command = clean(Command::new("cargo"));
    command.current_dir(root);
    command
}

/// A program without the variables that `cargo run` set for us.
pub fn clean(mut command: Command) -> Command {
    for (key, _) in std::env::vars_os() {
        let name = key.to_string_lossy();
        let ours = name.starts_with("CARGO_PKG_")
            || name.starts_with("CARGO_MANIFEST_")
            || matches!(&*name, "CARGO" | "CARGO_CRATE_NAME" | "CARGO_BIN_NAME" | "CARGO_PRIMARY_PACKAGE" | "OUT_DIR");
        if ours {
            command.env_remove(&key);
        }
    }
    command
}

/// Runs `work` as one step and prints its time when it is done.
pub fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let result = work();
    let mark = if result.is_ok() { "done" } else { "FAILED" };
    eprintln!("{:>8}  {mark:<6}  {title}", seconds(started.elapsed()));
    result
}

/// As [`step`], for a program whose output goes to the terminal.
pub fn run(title: &str, command: &mut Command) -> Result<()> {
    step(title, || {
        let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
        if !status.success() {
            bail!("{title}: `{}` ended with {status}", shown(command));
        }
        Ok(())
    })
}

/// As [`run`], for a program that a fault could make wait for ever: it and all it started are ended after `limit`.
pub fn run_within(title: &str, limit: Duration, command: &mut Command) -> Result<()> {
    step(title, || {
        let interrupt = Interrupt::listen()?;
        let mut child = command.process_group(0).spawn().with_context(|| format!("cannot start {}", shown(command)))?;
        let waited = interrupt.wait_for("its end", limit, || {
            child.try_wait()?.map_or(Ok(false), |status| {
                ensure!(status.success(), "`{}` ended with {status}", shown(command));
                Ok(true)
            })
        });
        if waited.is_err() && child.try_wait()?.is_none() {
            kill_process_group(Pid::from_child(&child), Signal::KILL)?;
            child.wait()?;
        }
        waited.with_context(|| title.to_owned())
    })
}

/// Runs a program and gives what it wrote to standard output. Its error output goes into the error when it fails.
pub fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("`{}` ended with {}: {}", shown(command), output.status, said.trim());
    }
    String::from_utf8(output.stdout).context("output is not UTF-8")
}

/// Whether a program of this name can be started.
pub fn on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(name).is_file())
}

pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

/// The command as one line, without its environment: secrets travel there.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    line.chars().take(300).collect()
}
