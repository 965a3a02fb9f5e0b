//! A configured source as the uplink, the supervisor and `status` share it.

use crate::spool::Spool;
use crate::status::StatusReporter;
use clarity_wire::frame::{Command, Problem, SourceDescriptor, SourceStatus};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, watch};

pub struct SourceHandle {
    pub name: String,
    pub kind: String,
    pub spool: Arc<Spool>,
    pub reporter: StatusReporter,
    /// The source forgets what is spooled: after a divergence events may be missing.
    pub confirms_spooled: bool,
    paused: watch::Sender<bool>,
    commands: Mutex<Option<mpsc::Sender<Command>>>,
}

impl SourceHandle {
    pub fn new(name: &str, kind: &str, spool: Arc<Spool>, reporter: StatusReporter, confirms_spooled: bool) -> Self {
        let paused = spool.snapshot().paused;
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            spool,
            reporter,
            confirms_spooled,
            paused: watch::Sender::new(paused),
            commands: Mutex::new(None),
        }
    }

    pub fn descriptor(&self) -> SourceDescriptor {
        let spool = self.spool.snapshot();
        SourceDescriptor {
            name: self.name.clone(),
            kind: self.kind.clone(),
            product: self.reporter.get().product,
            epoch: spool.epoch.unwrap_or(0),
            next_seq: spool.next_seq,
        }
    }

    /// Whether a person paused it.
    pub fn paused(&self) -> watch::Receiver<bool> {
        self.paused.subscribe()
    }

    pub fn set_paused(&self, paused: bool) {
        if self.paused.send_if_modified(|p| std::mem::replace(p, paused) != paused) {
            tracing::info!(source = self.name, paused, "a person changed it in the web app");
        }
        self.spool.set_paused(paused);
    }

    /// Where commands go from now on: to the source's present run.
    pub fn listen(&self) -> mpsc::Receiver<Command> {
        let (sender, receiver) = mpsc::channel(16);
        *self.commands.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
        receiver
    }

    pub fn command(&self, command: Command) {
        match command {
            Command::Pause { .. } => self.set_paused(true),
            Command::Resume { .. } => self.set_paused(false),
            Command::Resnapshot { .. } => {
                let commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
                if commands.as_ref().is_none_or(|c| c.try_send(command).is_err()) {
                    tracing::warn!(
                        source = self.name,
                        "a command came while the source was not running; it is dropped"
                    );
                }
            }
            Command::Unknown => {
                tracing::warn!(source = self.name, "the platform sent a command this version does not know");
            }
        }
    }

    /// What the source says, with what the spool adds.
    pub fn status(&self) -> SourceStatus {
        let mut status = self.reporter.get();
        let spool = self.spool.snapshot();
        status.spool_bytes = spool.unconfirmed_bytes;
        status.spool_limit_bytes = self.spool.limits().limit_bytes;
        status.unconfirmed_ms = spool.unconfirmed_age.map_or(0, |a| u64::try_from(a.as_millis()).unwrap_or(u64::MAX));
        if let Some(reason) = spool.full {
            status.problems.push(Problem {
                code: "spool_full".into(),
                message: format!("Reading stopped: {reason}. It goes on by itself when events have become durable."),
                fix: None,
                fatal: false,
            });
        }
        if let Some(message) = spool.failed {
            status.state = "failed".into();
            status.problems.push(Problem {
                code: "spool_failed".into(),
                message: format!(
                    "The disk of the agent's spool failed: {message}. Nothing more is read from this source."
                ),
                fix: Some("Check the disk, then restart the agent.".into()),
                fatal: true,
            });
        }
        status
    }
}
