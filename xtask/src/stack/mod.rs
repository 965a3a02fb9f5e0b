//! A running product: platform database, server, workers, a customer's database with a plant, and agents, all real
//! processes in one folder. The demo, the end-to-end tests, the fault tests and the benchmarks are made of these verbs.
//!
//! Everything a stack started is stopped when it is dropped, however that comes about. What it wrote stays in its folder,
//! and a later stack in the same folder goes on from there.

mod agent;
mod child;
mod cluster;
mod interrupt;
pub mod leftovers;
mod mailbox;
pub mod outside;
mod plant;
mod probe;
mod secrets;
mod tls;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde::Deserialize;

pub use agent::{AGENT, SOURCE};
pub use child::{Usage, tail, usage_of};
pub use cluster::{Cluster, Purpose};
pub use interrupt::Interrupt;
pub use plant::READER;
pub use probe::{expect_free, http_ok};
pub use secrets::{ROLES, Secrets};

use child::{Running, Spec};
use tls::Certificates;

use crate::{
    paths::{Mode, Paths},
    process::capture,
};

/// The platform's database inside its server.
pub const DATABASE: &str = "clarity";
/// The platform's Postgres, and its folder.
pub const PLATFORM: &str = "platform";
/// As [`Stack::surround`] calls the web server.
pub const SERVER: &str = "server";
const READY: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(12);

pub struct Stack {
    paths: Paths,
    mode: Mode,
    dir: PathBuf,
    logs: PathBuf,
    pub interrupt: Interrupt,
    pub secrets: Secrets,
    certificates: Certificates,
    platform: Option<Cluster>,
    customer: Option<Cluster>,
    /// Further variables of [`AGENT`], [`SERVER`] or [`PLATFORM`], for tests.
    surroundings: BTreeMap<&'static str, Vec<(String, String)>>,
    /// Where the mail server listens that the server is told of.
    mail_port: Option<u16>,
    /// An identity provider and a name server, for the journeys that need them.
    outside: Option<outside::Outside>,
    /// In the order they were started; stopped in the opposite one.
    running: Vec<Running>,
}

/// The workspace that `clarity-server admin create-workspace` made or found.
#[derive(Debug, Clone, Deserialize)]
pub struct Workspace {
    pub workspace_id: String,
    pub slug: String,
}

impl Stack {
    /// Nothing runs yet. `dir` holds, or will hold, all that the stack keeps.
    pub fn new(paths: &Paths, mode: Mode, dir: &Path, interrupt: &Interrupt, web_port: Option<u16>) -> Result<Self> {
        let logs = dir.join("logs");
        fs::create_dir_all(&logs)?;
        leftovers::end(dir)?;
        Ok(Self {
            paths: paths.clone(),
            mode,
            dir: dir.to_owned(),
            logs,
            interrupt: interrupt.clone(),
            secrets: Secrets::ensure(dir, web_port)?,
            certificates: Certificates::ensure(&dir.join("tls"))?,
            platform: None,
            customer: None,
            surroundings: BTreeMap::new(),
            mail_port: None,
            outside: None,
            running: Vec::new(),
        })
    }

    pub fn dir(&self) -> &Path {
        &self.dir
    }

    pub fn logs(&self) -> &Path {
        &self.logs
    }

    pub fn ca(&self) -> &Path {
        &self.certificates.ca
    }

    pub fn web_url(&self) -> String {
        format!("http://localhost:{}", self.secrets.web_port)
    }

    pub fn agent_url(&self) -> String {
        format!("wss://localhost:{}", self.secrets.ingest_port)
    }

    pub fn bin(&self, name: &str) -> PathBuf {
        self.paths.bin(self.mode, name)
    }

    // --- the platform's database

    /// A private cluster, or the server of `database_url`; then roles, database and migrations.
    pub fn start_platform(&mut self, database_url: Option<&str>) -> Result<()> {
        let cluster = match database_url {
            Some(url) => Cluster::from_url(url)?,
            None => self.platform_up()?,
        };
        let admin_url = cluster.url("postgres");
        self.platform = Some(cluster);
        let bootstrap = self.server(&ROLES, &["bootstrap"])?.env([("CLARITY_ADMIN_URL".to_owned(), admin_url)]);
        capture(&mut bootstrap.command()).context("make the platform's roles and database")?;
        capture(&mut self.server(&["owner"], &["migrate"])?.command()).context("migrate the platform's database")?;
        Ok(())
    }

    pub fn platform(&self) -> Result<&Cluster> {
        self.platform.as_ref().context("the platform's database is not started")
    }

    /// After [`Cluster::kill`]: starts it again, on the same data.
    pub fn restart_platform(&mut self) -> Result<()> {
        self.platform = Some(self.platform_up()?);
        Ok(())
    }

    fn platform_up(&self) -> Result<Cluster> {
        let (services, dir) = (self.bin("clarity-services"), self.dir.join(PLATFORM));
        Cluster::up_with(&services, &dir, Purpose::Platform, self.surroundings_of(PLATFORM))
    }

    /// Gives [`AGENT`], [`SERVER`] or [`PLATFORM`] further variables from its next start on.
    pub fn surround(&mut self, name: &'static str, variables: Vec<(String, String)>) {
        self.surroundings.insert(name, variables);
    }

    fn surroundings_of(&self, name: &str) -> &[(String, String)] {
        self.surroundings.get(name).map_or(&[], Vec::as_slice)
    }

    // --- our processes

    pub fn start_server(&mut self) -> Result<()> {
        let (port, url, agent_url) = (self.secrets.web_port, self.web_url(), self.agent_url());
        let listen = format!("127.0.0.1:{port}");
        let args = ["serve", "--listen", &listen, "--public-url", &url, "--agent-url", &agent_url, "--site"];
        let key = ("CLARITY_SECRETS_KEY".to_owned(), self.secrets.secrets_key.clone());
        let ops = ("CLARITY_OPS".to_owned(), "on".to_owned());
        let spec = self.server(&["auth", "app", "ops"], &args)?.args([self.paths.site(self.mode)]);
        let spec = spec
            .env(self.mail_env())
            .env(self.outside_env())
            .env([key, ops])
            .env(self.surroundings_of(SERVER).iter().cloned());
        self.start(spec)?;
        self.await_ready("server", |_| http_ok(port, "/readyz"))
    }

    /// One workers process called `name`, with these roles: `all`, or a list as `--roles` takes it. Ingest is waited for.
    pub fn start_workers(&mut self, name: &str, roles: &str) -> Result<()> {
        let (all, ingest) = (roles == "all", roles.split(',').any(|role| role == "ingest"));
        let mut logins = Vec::new();
        if all || ingest {
            logins.extend(["auth", "ingest"]);
        }
        if all || roles != "ingest" {
            logins.extend(["worker", "system"]);
        }
        let mut spec = Spec::new(name, self.bin("clarity-workers"), &self.logs)
            .args(["run", "--roles", roles])
            .env(self.platform_env(&logins)?);
        if !(all || ingest) {
            self.start(spec)?;
            return self.check();
        }
        let (port, certificates) = (self.secrets.ingest_port, self.certificates.clone());
        spec = spec.args(["--ingest-listen".into(), format!("127.0.0.1:{port}")]);
        spec = spec.args(["--tls-cert"]).args([&certificates.cert]).args(["--tls-key"]).args([&certificates.key]);
        self.start(spec)?;
        self.await_ready(name, |_| probe::https_ok(port, "/healthz", &certificates.ca))
    }

    /// The customer's workspace, and in it the person who owns it. One that is there already is found.
    pub fn create_workspace(&self, name: &str, email: &str, person: &str) -> Result<Workspace> {
        let args = ["admin", "create-workspace", "--name", name, "--email", email, "--person", person];
        let password = ("CLARITY_PERSON_PASSWORD".to_owned(), self.secrets.person_password.clone());
        let answer = capture(&mut self.server(&["auth", "app"], &args)?.env([password]).command())?;
        serde_json::from_str(&answer).context("answer of create-workspace")
    }

    /// `clarity-server admin …`: what a page would do, through the same services.
    pub fn admin(&self, args: &[&str]) -> Result<String> {
        capture(&mut self.server(&["auth", "app"], &["admin"])?.args(args).command())
    }

    /// What an operator of the platform has around them to give commands as the owner of its tables.
    pub fn operator_env(&self) -> Result<BTreeMap<String, String>> {
        Ok(self.platform_env(&["owner"])?.into_iter().collect())
    }

    /// `clarity-workers …` as a command that ends by itself: `rebuild`, `verify`, `dead-letters`.
    pub fn workers_command(&self, args: &[&str]) -> Result<std::process::Command> {
        let spec = Spec::new("workers", self.bin("clarity-workers"), &self.logs);
        Ok(spec.args(args).env(self.workers_env()?).command())
    }

    /// What is around a web server that sends no letters, beside the one of the stack.
    pub fn server_env(&self) -> Result<BTreeMap<String, String>> {
        let site = self.paths.site(self.mode).to_string_lossy().into_owned();
        let own = [("CLARITY_SECRETS_KEY", self.secrets.secrets_key.clone()), ("CLARITY_SITE", site)];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        Ok(self.platform_env(&["auth", "app"])?.into_iter().chain(own).collect())
    }

    /// What is around a command of the workers.
    pub fn workers_env(&self) -> Result<BTreeMap<String, String>> {
        Ok(self.platform_env(&["auth", "worker", "system"])?.into_iter().collect())
    }

    fn server(&self, roles: &[&str], args: &[&str]) -> Result<Spec> {
        let spec = Spec::new("server", self.bin("clarity-server"), &self.logs);
        Ok(spec.args(args).env(self.platform_env(roles)?))
    }

    fn platform_env(&self, roles: &[&str]) -> Result<Vec<(String, String)>> {
        let Cluster { host, port, tls, .. } = self.platform()?;
        let mut env = self.secrets.env(roles);
        env.push(("CLARITY_DATABASE_URL".to_owned(), format!("postgres://{host}:{port}/{DATABASE}{tls}")));
        Ok(env)
    }

    // --- what runs

    fn start(&mut self, spec: Spec) -> Result<()> {
        self.running.retain(|running| running.spec().name != spec.name);
        let running = Running::start(spec)?;
        leftovers::note(&self.dir, &running.spec().name, running.pid())?;
        self.running.push(running);
        Ok(())
    }

    /// Waits until `ready`; fails at once, with its log, when the process ends before.
    fn await_ready(&mut self, name: &str, ready: impl Fn(&Self) -> bool) -> Result<()> {
        let interrupt = self.interrupt.clone();
        let what = format!("{name} to be ready ({})", self.logs.join(format!("{name}.log")).display());
        interrupt.wait_for(&what, READY, || {
            self.find(name)?.check()?;
            Ok(ready(self))
        })
    }

    /// An error when a process has ended that should not have.
    pub fn check(&mut self) -> Result<()> {
        self.running.iter_mut().try_for_each(Running::check)
    }

    fn find(&mut self, name: &str) -> Result<&mut Running> {
        self.running
            .iter_mut()
            .find(|running| running.spec().name == name)
            .with_context(|| format!("no process {name}"))
    }

    /// Name, process id and log of what runs.
    pub fn processes(&self) -> Vec<(&str, u32, &Path)> {
        self.running
            .iter()
            .map(|running| (running.spec().name.as_str(), running.pid(), running.spec().log.as_path()))
            .collect()
    }

    pub fn usage(&mut self, name: &str) -> Result<Usage> {
        self.find(name)?.usage()
    }

    /// `kill -9`.
    pub fn kill(&mut self, name: &str) -> Result<()> {
        self.find(name)?.kill()
    }

    /// Starts one that was killed or stopped, as it was started before. Does not wait until it is ready.
    pub fn restart(&mut self, name: &str) -> Result<()> {
        let spec = self.find(name)?.spec().clone();
        self.find(name)?.stop(PATIENCE)?;
        self.start(spec)
    }

    /// Asks it to end; kills it when it has not after twelve seconds.
    pub fn stop(&mut self, name: &str) -> Result<()> {
        self.find(name)?.stop(PATIENCE).map(drop)
    }

    /// Ends everything, clusters last. Gives the first thing that went wrong, having tried all.
    pub fn stop_all(&mut self) -> Result<()> {
        let mut outcome = Ok(());
        // All are asked first, so that they end side by side.
        for running in self.running.iter_mut().rev() {
            if running.ended().is_none() {
                outcome = outcome.and(running.signal(rustix::process::Signal::TERM));
            }
        }
        for mut running in self.running.drain(..).rev() {
            outcome = outcome.and(running.finish(PATIENCE).map(drop));
        }
        leftovers::forget(&self.dir);
        for cluster in [self.customer.take(), self.platform.take()].into_iter().flatten() {
            outcome = outcome.and(cluster.down());
        }
        outcome
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Err(error) = self.stop_all() {
            eprintln!("something was not stopped cleanly: {error:#}");
        }
    }
}
