//! What the agent knows of its sources: written by them, read by the uplink, `status` and the log.

use clarity_wire::frame::{Problem, SourceStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Notify, watch};

/// A source's way to say how it is. Cheap to clone.
#[derive(Clone, Default)]
pub struct StatusReporter {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    status: watch::Sender<SourceStatus>,
    /// Counts changes that a person waits for: state, problems, a finished snapshot.
    news: AtomicU64,
    wake: Option<Arc<Notify>>,
}

impl StatusReporter {
    pub fn new() -> Self {
        Self::default()
    }

    /// Notifies `wake` when there is news.
    pub fn waking(wake: Arc<Notify>) -> Self {
        Self { inner: Arc::new(Inner { wake: Some(wake), ..Inner::default() }) }
    }

    /// Changes the status in place. Readers are woken only when it differs afterwards.
    pub fn update(&self, change: impl FnOnce(&mut SourceStatus)) {
        let mut news = false;
        self.inner.status.send_if_modified(|status| {
            let before = status.clone();
            change(status);
            let done = |s: &SourceStatus| s.snapshot.iter().filter(|p| p.done).count();
            news = before.state != status.state
                || before.problems != status.problems
                || before.product != status.product
                || done(&before) != done(status);
            *status != before
        });
        if news {
            self.inner.news.fetch_add(1, Ordering::Relaxed);
            if let Some(wake) = &self.inner.wake {
                wake.notify_one();
            }
        }
    }

    /// Shows the problem in place of an earlier one of the same code.
    pub fn problem(&self, problem: Problem) {
        self.update(|status| {
            status.problems.retain(|p| p.code != problem.code);
            status.problems.push(problem);
        });
    }

    pub fn solved(&self, code: &str) {
        self.update(|status| status.problems.retain(|p| p.code != code));
    }

    pub fn get(&self) -> SourceStatus {
        self.inner.status.borrow().clone()
    }

    pub fn news(&self) -> u64 {
        self.inner.news.load(Ordering::Relaxed)
    }

    pub fn subscribe(&self) -> watch::Receiver<SourceStatus> {
        self.inner.status.subscribe()
    }
}
