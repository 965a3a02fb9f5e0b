//! A private Postgres cluster: its own folder, port, socket and password; nothing global is touched.
//!
//! The server outlives the process that started it, and [`Builder::start`] finds it again: starting is idempotent. What
//! must be remembered stands in the folder: `cluster.json` (port), `password` (mode 0600), `data/`, `postgres.log`.

mod connect;
mod place;
mod process;
mod settings;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

pub use connect::{connect, ensure_database};
use place::Account;

/// Superuser of every cluster here.
pub const SUPERUSER: &str = "postgres";
/// How long a start may take; recovery after a crash under load is most of it.
const START_TIMEOUT: Duration = Duration::from_secs(120);
/// Below the range from which the system takes ports for outgoing connections, so that a stopped cluster's port is
/// still free when it starts again.
const PORTS: std::ops::Range<u16> = 21000..31000;

/// How [`Cluster::stop`] ends the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// Sessions are cut, everything is written out.
    Fast,
    /// Sessions are cut, nothing is written: the next start recovers from the log.
    Immediate,
}

/// What `cluster.json` remembers.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    port: u16,
    logical: bool,
    fsync: bool,
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

/// A cluster and how to reach it. Dropping it leaves the server running.
#[derive(Clone)]
pub struct Cluster {
    dir: PathBuf,
    bin: PathBuf,
    account: Option<Account>,
    port: u16,
    password: String,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("dir", &self.dir).field("port", &self.port).finish_non_exhaustive()
    }
}

/// What a cluster is to be like. See [`Cluster::builder`].
#[derive(Debug)]
pub struct Builder {
    dir: PathBuf,
    logical: bool,
    fsync: bool,
    port: Option<u16>,
    settings: BTreeMap<String, String>,
}

impl Builder {
    /// `wal_level = logical`, with 20 slots and 20 senders.
    #[must_use]
    pub fn logical(mut self, logical: bool) -> Self {
        self.logical = logical;
        self
    }

    /// `false` for tests that never lose power: creating and dropping databases is then cheap.
    #[must_use]
    pub fn fsync(mut self, fsync: bool) -> Self {
        self.fsync = fsync;
        self
    }

    /// A port of the caller's choice. Otherwise the first start finds a free one, and later starts keep it.
    #[must_use]
    pub fn port(mut self, port: Option<u16>) -> Self {
        self.port = port;
        self
    }

    /// Any other line of `postgresql.conf`; it outranks ours.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Makes the cluster where it is not there yet, and starts it where it does not run. Safe to call from several
    /// processes at once. A server that runs already is left as it is.
    pub fn start(self) -> Result<Cluster> {
        let dir = place::resolve(&self.dir)?;
        let account = place::account()?;
        let _lock = lock(&dir)?;
        make_dir(&dir, 0o700, account)?;
        let known = Cluster::read_remembered(&dir);
        let known_port = known.as_ref().map(|known| known.port);
        let bin = place::binaries()?;
        let password = init(&dir, &bin, account)?;
        let data_dir = dir.join("data");
        let port = match self.port.or(known_port) {
            Some(port) => port,
            None => free_port(&dir)?,
        };
        let cluster = Cluster { dir, bin, account, port, password };
        if process::postmaster(&data_dir).is_some() {
            if let Some(known) = known_port.filter(|known| *known != port) {
                bail!("the cluster in {} already runs on port {known}; stop it first", cluster.dir.display());
            }
            cluster.await_ready()?;
            return Ok(cluster);
        }
        let remembered = Remembered { port, logical: self.logical, fsync: self.fsync, settings: self.settings };
        fs::write(cluster.dir.join("cluster.json"), serde_json::to_vec_pretty(&remembered)?)?;
        cluster.launch(&remembered)?;
        Ok(cluster)
    }
}

impl Cluster {
    /// A cluster in `dir`. Where the user `postgres` cannot get to `dir` (we are root and a parent is closed), it lives
    /// in a folder of `/var/tmp` that is named after `dir`; [`Cluster::dir`] says which.
    pub fn builder(dir: impl Into<PathBuf>) -> Builder {
        Builder { dir: dir.into(), logical: false, fsync: true, port: None, settings: BTreeMap::new() }
    }

    /// The cluster made earlier in `dir`, running or not.
    pub fn find(dir: impl AsRef<Path>) -> Result<Option<Cluster>> {
        let dir = place::resolve(dir.as_ref())?;
        let Some(remembered) = Self::read_remembered(&dir) else { return Ok(None) };
        let Ok(password) = fs::read_to_string(dir.join("password")) else { return Ok(None) };
        let (bin, account) = (place::binaries()?, place::account()?);
        Ok(Some(Cluster { dir, bin, account, port: remembered.port, password }))
    }

    /// Starts a stopped or crashed cluster with the settings it had. Does nothing where it runs.
    pub fn start(&self) -> Result<()> {
        let _lock = lock(&self.dir)?;
        if self.pid().is_some() {
            return self.await_ready();
        }
        let remembered = Self::read_remembered(&self.dir).context("cluster.json is missing: was it removed?")?;
        self.launch(&remembered)
    }

    /// Ends the server and waits until it is gone. Does nothing where it does not run.
    pub fn stop(&self, mode: StopMode) -> Result<()> {
        if self.pid().is_none() {
            return Ok(());
        }
        let mode = match mode {
            StopMode::Fast => "fast",
            StopMode::Immediate => "immediate",
        };
        let mut command = process::command(&self.bin.join("pg_ctl"), self.account);
        command.arg("stop").arg("-D").arg(self.data_dir()).args(["-m", mode, "-w", "-t", "60"]);
        process::run(command)
    }

    /// `kill -9` of the postmaster and every backend: a crash. Returns when all are gone.
    pub fn kill_9(&self) -> Result<()> {
        match self.pid() {
            Some(pid) => process::kill_all(pid),
            None => bail!("the cluster in {} does not run", self.dir.display()),
        }
    }

    /// Stops the server and deletes the folder with everything in it.
    pub fn remove(self) -> Result<()> {
        self.stop(StopMode::Immediate)?;
        fs::remove_dir_all(&self.dir).with_context(|| format!("cannot remove {}", self.dir.display()))?;
        let _ = fs::remove_file(lock_path(&self.dir));
        Ok(())
    }

    /// The postmaster's pid, while it runs.
    pub fn pid(&self) -> Option<u32> {
        process::postmaster(&self.data_dir())
    }

    pub fn is_ready(&self) -> bool {
        self.pid().is_some() && process::is_ready(&self.data_dir())
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn password(&self) -> &str {
        &self.password
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }

    /// Connection string of the superuser.
    pub fn admin_url(&self, database: &str) -> String {
        self.url(SUPERUSER, &self.password, database)
    }

    pub fn url(&self, user: &str, password: &str, database: &str) -> String {
        format!("postgres://{user}:{password}@127.0.0.1:{}/{database}", self.port)
    }

    fn read_remembered(dir: &Path) -> Option<Remembered> {
        serde_json::from_slice(&fs::read(dir.join("cluster.json")).ok()?).ok()
    }

    fn launch(&self, remembered: &Remembered) -> Result<()> {
        if TcpListener::bind(("127.0.0.1", self.port)).is_err() {
            bail!(
                "port {} is in use by another program, so the Postgres of {} cannot start. \
                 Stop that program, or give another port",
                self.port,
                self.dir.display()
            );
        }
        process::clear_stale_pid_file(&self.data_dir())?;
        let socket_dir = Some(self.dir.join("sock")).filter(|dir| settings::socket_fits(dir));
        if let Some(dir) = &socket_dir {
            // Lock files in there have the same trouble; only this cluster uses the folder, and it does not run.
            let _ = fs::remove_dir_all(dir);
            make_dir(dir, 0o700, self.account)?;
        }
        let text = settings::render(
            self.port,
            socket_dir.as_deref(),
            remembered.logical,
            remembered.fsync,
            &remembered.settings,
        );
        let conf = self.dir.join("clarity.conf");
        fs::write(&conf, text)?;
        fs::set_permissions(&conf, fs::Permissions::from_mode(0o644))?;

        let log = self.dir.join("postgres.log");
        let mut command = process::command(&self.bin.join("pg_ctl"), self.account);
        command.arg("start").arg("-D").arg(self.data_dir()).arg("-l").arg(&log);
        command.args(["-w", "-s", "-t", &START_TIMEOUT.as_secs().to_string()]);
        // pg_ctl's own output must not be a pipe: the server inherits it and would hold it open for ever.
        command.stdin(std::process::Stdio::null()).stdout(std::process::Stdio::null());
        command.stderr(std::process::Stdio::null());
        let status = command.status().with_context(|| format!("cannot run {}", self.bin.join("pg_ctl").display()))?;
        if !status.success() {
            bail!("Postgres in {} did not start. Its log ends with:\n{}", self.dir.display(), tail(&log));
        }
        self.await_ready()
    }

    fn await_ready(&self) -> Result<()> {
        let started = Instant::now();
        while !self.is_ready() {
            if started.elapsed() > START_TIMEOUT {
                let log = tail(&self.dir.join("postgres.log"));
                bail!("Postgres in {} is not ready after {START_TIMEOUT:?}. Log:\n{log}", self.dir.display());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }
}

/// `initdb`, once. Gives the superuser's password.
fn init(dir: &Path, bin: &Path, account: Option<Account>) -> Result<String> {
    let (data_dir, secret) = (dir.join("data"), dir.join("password"));
    if data_dir.join("clarity-ready").is_file() {
        return fs::read_to_string(&secret).with_context(|| format!("cannot read {}", secret.display()));
    }
    // A half-made one: initdb was interrupted.
    if data_dir.exists() {
        fs::remove_dir_all(&data_dir).with_context(|| format!("cannot clear {}", data_dir.display()))?;
    }
    let password = new_password()?;
    let _ = fs::remove_file(&secret);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&secret)?;
    file.write_all(password.as_bytes())?;
    if let Some(account) = account {
        chown(&secret, Some(account.uid), Some(account.gid))?;
    }
    let mut command = process::command(&bin.join("initdb"), account);
    command.arg("-D").arg(&data_dir).arg("--pwfile").arg(&secret);
    command.args(["-U", SUPERUSER, "-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256", "--no-sync"]);
    process::run(command)?;
    let mut conf = fs::OpenOptions::new().append(true).open(data_dir.join("postgresql.conf"))?;
    writeln!(conf, "include = '../clarity.conf'")?;
    File::create(data_dir.join("clarity-ready"))?.sync_all()?;
    Ok(password)
}

fn make_dir(dir: &Path, mode: u32, account: Option<Account>) -> Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(mode))?;
    if let Some(account) = account {
        chown(dir, Some(account.uid), Some(account.gid))?;
    }
    Ok(())
}

/// One process at a time makes or starts the cluster of `dir`. Released when the file is dropped, or its holder dies.
fn lock(dir: &Path) -> Result<File> {
    let path = lock_path(dir);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(|| format!("cannot make {}", parent.display()))?;
    }
    let file = File::create(&path).with_context(|| format!("cannot open {}", path.display()))?;
    file.lock().with_context(|| format!("cannot lock {}", path.display()))?;
    Ok(file)
}

fn lock_path(dir: &Path) -> PathBuf {
    dir.with_extension("lock")
}

/// A free port; the search begins at a place of its own for each folder, so that clusters seldom meet.
fn free_port(dir: &Path) -> Result<u16> {
    let sum = dir.as_os_str().as_encoded_bytes().iter().fold(17_u64, |sum, byte| sum * 31 % 99_991 + u64::from(*byte));
    let (count, first) = (u64::from(PORTS.end - PORTS.start), PORTS.start);
    (0..count)
        .filter_map(|step| u16::try_from((sum + step) % count).ok())
        .map(|offset| first + offset)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .context("no free port between 21000 and 31000")
}

fn new_password() -> Result<String> {
    let mut bytes = [0_u8; 20];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random bytes from the system: {error}"))?;
    Ok(hex::encode(bytes))
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(12)..].join("\n")
}
