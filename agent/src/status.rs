//! What the agent knows of its sources: written by them, read by the uplink, `status` and the log.

use clarity_wire::frame::SourceStatus;
use std::sync::Arc;
use tokio::sync::watch;

/// A source's way to say how it is. Cheap to clone.
#[derive(Clone)]
pub struct StatusReporter {
    status: Arc<watch::Sender<SourceStatus>>,
}

impl StatusReporter {
    pub fn new() -> Self {
        Self { status: Arc::new(watch::Sender::new(SourceStatus::default())) }
    }

    /// Changes the status in place. Readers are woken only when it differs afterwards.
    pub fn update(&self, change: impl FnOnce(&mut SourceStatus)) {
        self.status.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            *status != before
        });
    }

    pub fn get(&self) -> SourceStatus {
        self.status.borrow().clone()
    }

    pub fn subscribe(&self) -> watch::Receiver<SourceStatus> {
        self.status.subscribe()
    }
}

impl Default for StatusReporter {
    fn default() -> Self {
        Self::new()
    }
}
