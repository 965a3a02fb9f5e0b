//! One page of one workspace, role and choice of sites, followed by everybody who has it open: read once for all of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clarity_domain::view::live::LiveUpdate;
use clarity_service::live::{LivePage, Snapshot};
use clarity_service::{Seat, Services};
use tokio::sync::{Notify, broadcast};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Reads of one feed are at least so far apart, however fast data comes.
const COALESCE: Duration = Duration::from_millis(50);
/// Without any word from the workers: the truth word ages, and "blind" has to appear when nothing comes.
const AGEING: Duration = Duration::from_secs(2);
/// Updates that a slow reader may be behind before it is sent everything anew.
const BEHIND: usize = 16;

/// An update as it goes over the wire.
pub type Message = Arc<str>;

pub struct Feed {
    page: LivePage,
    woken: Notify,
    state: Mutex<State>,
}

struct State {
    last: Option<Snapshot>,
    sender: broadcast::Sender<Message>,
}

impl Feed {
    pub fn new(page: LivePage) -> Self {
        let sender = broadcast::Sender::new(BEHIND);
        Self { page, woken: Notify::new(), state: Mutex::new(State { last: None, sender }) }
    }

    /// Everything as of the last read, if there was one, and all that follows it.
    pub fn subscribe(&self) -> (Option<Message>, broadcast::Receiver<Message>) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let everything = state.last.as_ref().and_then(|snapshot| text(&snapshot.full()));
        (everything, state.sender.subscribe())
    }

    /// Something changed in the workspace.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    pub fn has_readers(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).sender.receiver_count() > 0
    }

    /// Reads and sends until `is_over` says that nobody follows any more. `seat` is that of the one who opened it:
    /// whoever joins has the same workspace, role and sites.
    pub async fn run(&self, services: &Services, seat: &Seat, is_over: impl Fn() -> bool) {
        let mut ageing = interval(AGEING);
        ageing.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.woken.notified() => {}
                _ = ageing.tick() => {}
            }
            if is_over() {
                return;
            }
            let started = Instant::now();
            match services.snapshot(seat, &self.page).await {
                Ok(snapshot) => self.publish(snapshot),
                Err(error) => tracing::warn!(code = ?error.code, "a live page could not be read"),
            }
            tokio::time::sleep_until(started + COALESCE).await;
        }
    }

    fn publish(&self, snapshot: Snapshot) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(message) = snapshot.since(state.last.as_ref()).as_ref().and_then(text) {
            // An error means that nobody follows; the next round ends.
            let _ = state.sender.send(message);
        }
        state.last = Some(snapshot);
    }
}

fn text(update: &LiveUpdate) -> Option<Message> {
    match serde_json::to_string(update) {
        Ok(text) => Some(text.into()),
        Err(error) => {
            tracing::error!(%error, "a live update cannot be written");
            None
        }
    }
}
