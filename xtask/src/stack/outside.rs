//! What stands outside of us in the journeys: a workspace's identity provider, and a name server that knows its domain. The server
//! is told of both.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde_json::json;

use super::{READY, Stack, child::Spec, mailbox::said};

const PROVIDER: &str = "provider";
const NAMES: &str = "names";
/// As the journey gives them to the workspace.
pub const CLIENT_ID: &str = "clarity";
pub const CLIENT_SECRET: &str = "a client's secret of the journeys";

/// Where they listen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outside {
    provider: u16,
    names: u16,
}

impl Stack {
    /// To be started before the server, which is told of them.
    pub fn start_outside(&mut self) -> Result<()> {
        let options = json!({
            "clientId": CLIENT_ID,
            "clientSecret": CLIENT_SECRET,
            "redirectUris": [format!("{}/sso/callback", self.web_url())],
            "accountsFile": self.accounts(),
        });
        let provider = self.start_script(PROVIDER, options.to_string())?;
        let records = self.records().to_string_lossy().into_owned();
        let names = self.start_script(NAMES, records)?;
        self.outside = Some(Outside { provider, names });
        Ok(())
    }

    /// The provider's accounts, as JSON that a journey writes.
    pub fn accounts(&self) -> PathBuf {
        self.dir.join("accounts.json")
    }

    /// The name server's texts, as JSON that a journey writes.
    pub fn records(&self) -> PathBuf {
        self.dir.join("records.json")
    }

    pub fn issuer(&self) -> Result<String> {
        let outside = self.outside.context("the identity provider was not started")?;
        Ok(format!("http://127.0.0.1:{}", outside.provider))
    }

    pub(super) fn outside_env(&self) -> Vec<(String, String)> {
        let Some(Outside { provider, names }) = self.outside else { return Vec::new() };
        let at = |port: u16| format!("127.0.0.1:{port}");
        vec![("CLARITY_OUTGOING_ALLOW".to_owned(), at(provider)), ("CLARITY_DNS".to_owned(), at(names))]
    }

    /// A script of `end2end/support` that says on which port it listens.
    fn start_script(&mut self, name: &'static str, argument: String) -> Result<u16> {
        let script = self.paths.join("end2end/support").join(match name {
            PROVIDER => "provider.mjs",
            _ => "dns.mjs",
        });
        let spec = Spec::new(name, PathBuf::from("node"), &self.logs).args([script.into_os_string(), argument.into()]);
        self.start(spec)?;
        let interrupt = self.interrupt.clone();
        let mut port = None;
        interrupt.wait_for(&format!("{name} to listen"), READY, || {
            let running = self.find(name)?;
            running.check()?;
            port = said(&running.spec().log);
            Ok(port.is_some())
        })?;
        port.context("it says no port")
    }
}
