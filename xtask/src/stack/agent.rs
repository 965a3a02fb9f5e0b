//! The agent beside the customer's database: configured as an operator would, paired with a code that a person approves.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::{
    Stack,
    child::{Running, Spec, tail},
    plant::{PUBLICATION, READER},
    tls::write_private,
};

/// The one source of the agent.
pub const SOURCE: &str = "plant-db";

pub const AGENT: &str = "agent";
/// A minute for the agent to claim the code; the demo's approval follows at once.
const PAIRING_S: &str = "60";

#[derive(Debug, Deserialize)]
struct Pairing {
    pairing_id: String,
    code: String,
}

impl Stack {
    pub fn agent_dir(&self) -> PathBuf {
        self.dir.join(AGENT)
    }

    /// Writes `agent.toml`, pairs where there is no identity yet, starts `clarity-agent run`.
    pub fn start_agent(&mut self, workspace: &str) -> Result<()> {
        self.configure_agent()?;
        if !self.agent_dir().join("identity.json").exists() {
            self.pair_agent(workspace)?;
        }
        let spec = self.agent_spec(AGENT).args(["run"]);
        self.start(spec)
    }

    /// The operator's configuration. `extra` TOML goes to the end: further keys of the source.
    pub fn configure_agent(&self) -> Result<()> {
        let dir = self.agent_dir();
        fs::create_dir_all(&dir)?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
        let password_file = dir.join(format!("{SOURCE}.password"));
        write_private(&password_file, &self.secrets.reader_password)?;
        let customer = self.customer()?;
        let (host, port, database) = (&customer.host, customer.port, self.customer_database()?);
        let password_file = password_file.display();
        let toml = format!(
            r#"[policy]
hosts = ["{host}:{port}"]
tables = ["public.*"]

[[source]]
name = "{SOURCE}"
kind = "postgres"
host = "{host}"
port = {port}
database = "{database}"
user = "{READER}"
password_file = "{password_file}"
tables = ["public.*"]
tls = "disable"
publication = "{PUBLICATION}"
"#
        );
        write_private(&dir.join("agent.toml"), &toml)
    }

    /// The pairing dialog without its page: a code is made, the agent claims it with its key, the owner approves.
    pub fn pair_agent(&mut self, workspace: &str) -> Result<()> {
        let answer = self.admin(&["create-pairing", "--workspace", workspace, "--name", "Demo plant"])?;
        let pairing: Pairing = serde_json::from_str(&answer).context("answer of create-pairing")?;
        let url = self.agent_url();
        let mut spec = self.agent_spec("agent-pair").args(["pair", "--server", &url, "--code", &pairing.code, "--ca"]);
        spec = spec.args([self.ca()]);
        let log = spec.log.clone();
        let mut claim = Running::start(spec)?;
        let approve = ["approve-pairing", "--workspace", workspace, "--pairing-id", &pairing.pairing_id];
        let approved = self.admin(&[&approve[..], &["--wait-s", PAIRING_S]].concat());
        // Where nothing was approved, the agent would wait for its quarter of an hour.
        let patience = Duration::from_secs(if approved.is_ok() { 15 } else { 0 });
        let status = claim.finish(patience)?;
        approved.with_context(|| format!("approve the agent; it said:\n{}", tail(&log, 10)))?;
        if !status.success() {
            bail!("clarity-agent pair ended with {status}:\n{}", tail(&log, 10));
        }
        Ok(())
    }

    /// `clarity-agent …` to its end: `status --json`, `doctor`.
    pub fn agent_command(&self, args: &[&str]) -> std::process::Command {
        self.agent_spec(AGENT).args(args).command()
    }

    fn agent_spec(&self, name: &str) -> Spec {
        let spec = Spec::new(name, self.bin("clarity-agent"), &self.logs).args(["--state"]).args([self.agent_dir()]);
        spec.env(self.surroundings_of(AGENT).iter().cloned())
    }
}
