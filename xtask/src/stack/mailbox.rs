//! A mail server that keeps what it gets, for the tests that read letters. Without it, the server keeps its letters
//! itself.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use serde::Deserialize;

use super::{READY, Stack, child::Spec};

const NAME: &str = "mailbox";

/// What it says when it listens.
#[derive(Deserialize)]
struct Listening {
    port: u16,
}

impl Stack {
    /// To be started before the server, which is told of it.
    pub fn start_mailbox(&mut self) -> Result<()> {
        let script = self.paths.join("end2end/support/mailbox.mjs");
        let spec = Spec::new(NAME, PathBuf::from("node"), &self.logs).args([script, self.mails()]);
        self.start(spec)?;
        let interrupt = self.interrupt.clone();
        let mut port = None;
        interrupt.wait_for("the mail server to listen", READY, || {
            let running = self.find(NAME)?;
            running.check()?;
            port = said(&running.spec().log);
            Ok(port.is_some())
        })?;
        self.mail_port = port;
        Ok(())
    }

    /// The file of the letters it got, a line of JSON each.
    pub fn mails(&self) -> PathBuf {
        self.dir.join("mails.jsonl")
    }

    pub(super) fn mail_env(&self) -> Option<(String, String)> {
        self.mail_port.map(|port| ("CLARITY_SMTP_URL".to_owned(), format!("smtp://127.0.0.1:{port}")))
    }
}

/// The port that it said since its last start.
pub(super) fn said(log: &Path) -> Option<u16> {
    let text = fs::read_to_string(log).ok()?;
    let mut since = text.lines().rev().take_while(|line| !line.starts_with("--- "));
    since.find_map(|line| serde_json::from_str::<Listening>(line).ok()).map(|listening| listening.port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_that_of_the_last_start() {
        let log = std::env::temp_dir().join(format!("clarity-mailbox-{}.log", std::process::id()));
        let first = "--- mailbox started\n{\"port\":2525}\n";
        fs::write(&log, first).unwrap();
        assert_eq!(said(&log), Some(2525));
        fs::write(&log, format!("{first}--- mailbox started\na warning\n")).unwrap();
        assert_eq!(said(&log), None);
        fs::write(&log, format!("{first}--- mailbox started\na warning\n{{\"port\":2526}}\n")).unwrap();
        assert_eq!(said(&log), Some(2526));
        fs::remove_file(log).unwrap();
    }
}
