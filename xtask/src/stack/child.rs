//! One process of a stack: in its own process group, with a log file, and a way to measure, kill and restart it.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::Write as _,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::process::clean;

/// How a process is started; kept, so that it can be started again the same way.
#[derive(Debug, Clone)]
pub struct Spec {
    pub name: String,
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub env: Vec<(String, String)>,
    pub log: PathBuf,
}

impl Spec {
    pub fn new(name: &str, program: PathBuf, log_dir: &Path) -> Self {
        let log = log_dir.join(format!("{name}.log"));
        Self { name: name.to_owned(), program, args: Vec::new(), env: Vec::new(), log }
    }

    pub fn args(mut self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub fn env(mut self, vars: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env.extend(vars);
        self
    }

    /// For a program that is waited for, with the same surroundings.
    pub fn command(&self) -> Command {
        let mut command = clean(Command::new(&self.program));
        command.args(&self.args).envs(self.env.iter().cloned()).stdin(Stdio::null());
        command
    }
}

/// What a process has used since it was started.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    pub rss_bytes: u64,
    pub peak_rss_bytes: u64,
    /// User and system time.
    pub cpu: Duration,
}

#[derive(Debug)]
pub struct Running {
    spec: Spec,
    child: Child,
}

impl Running {
    /// Starts it; its output is appended to its log.
    pub fn start(spec: Spec) -> Result<Self> {
        let mut log = File::options().create(true).append(true).open(&spec.log)?;
        writeln!(log, "--- {} started", spec.name)?;
        let child = spec
            .command()
            .stdout(log.try_clone()?)
            .stderr(log)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", spec.program.display()))?;
        Ok(Self { spec, child })
    }

    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `Some` once it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// An error with the end of its log when it is no longer there.
    pub fn check(&mut self) -> Result<()> {
        let Some(status) = self.ended() else { return Ok(()) };
        let (name, log) = (&self.spec.name, &self.spec.log);
        bail!("{name} ended with {status}. Its last words ({}):\n{}", log.display(), tail(log, 15))
    }

    /// `kill -9` of the whole group. No word of warning, no clean-up.
    pub fn kill(&mut self) -> Result<()> {
        if self.ended().is_none() {
            self.signal(Signal::KILL)?;
            self.child.wait()?;
        }
        Ok(())
    }

    /// Asks it to end, and kills it after `patience`. Gives the status it ended with.
    pub fn stop(&mut self, patience: Duration) -> Result<ExitStatus> {
        if let Some(status) = self.ended() {
            return Ok(status);
        }
        self.signal(Signal::TERM)?;
        self.finish(patience)
    }

    /// Waits for the end of one that was asked; kills it after `patience`.
    pub fn finish(&mut self, patience: Duration) -> Result<ExitStatus> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.ended() {
                return Ok(status);
            }
            if Instant::now() >= deadline {
                self.signal(Signal::KILL)?;
                return Ok(self.child.wait()?);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process_group(pid, signal).with_context(|| format!("signal {}", self.spec.name))
    }

    pub fn usage(&self) -> Result<Usage> {
        usage_of(self.pid())
    }
}

/// What the kernel says a process uses.
pub fn usage_of(pid: u32) -> Result<Usage> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    read_usage(&status, &stat, rustix::param::clock_ticks_per_second()).context("/proc is not as expected")
}

fn read_usage(status: &str, stat: &str, ticks_per_second: u64) -> Option<Usage> {
    let bytes = |field: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
        Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
    };
    // The name in parentheses may hold anything; fields count from behind it: utime and stime are the 12th and 13th.
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    let cpu = Duration::from_secs_f64((user + system) as f64 / ticks_per_second as f64);
    Some(Usage { rss_bytes: bytes("VmRSS")?, peak_rss_bytes: bytes("VmHWM")?, cpu })
}

/// The last lines of a log.
pub fn tail(log: &Path, lines: usize) -> String {
    let text = String::from_utf8_lossy(&fs::read(log).unwrap_or_default()).into_owned();
    let all: Vec<&str> = text.lines().collect();
    all.iter().skip(all.len().saturating_sub(lines)).map(|line| format!("    {line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_proc_of_a_program_with_a_nasty_name() {
        let status = "Name:\tx\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\n";
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 1 0 100 0 0";
        let usage = read_usage(status, stat, 100).unwrap();
        assert_eq!((usage.rss_bytes, usage.peak_rss_bytes), (1 << 20, 2 << 20));
        assert_eq!(usage.cpu, Duration::from_secs(2));
    }

    #[test]
    fn a_child_is_killed_with_its_group_and_its_log_is_kept() {
        let dir = std::env::temp_dir().join(format!("clarity-child-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let spec =
            Spec::new("shell", "/bin/sh".into(), &dir).args(["-c", "trap '' TERM; echo here; sleep 600 & wait; wait"]);
        let mut running = Running::start(spec).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while !tail(&running.spec().log, 5).contains("here") {
            assert!(Instant::now() < deadline, "the child said nothing");
            std::thread::yield_now();
        }
        assert!(usage_of(running.pid()).unwrap().rss_bytes > 0);
        let status = running.stop(Duration::from_millis(50)).unwrap();
        assert!(!status.success());
        assert!(running.check().is_err());
        fs::remove_dir_all(dir).unwrap();
    }
}
