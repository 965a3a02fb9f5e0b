//! One listener a process, and the feeds that it wakes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clarity_runtime::shutdown::CancellationToken;
use clarity_service::live::{Heard, LiveKey, LivePage};
use clarity_service::{Seat, Services};
use tokio::sync::broadcast;

use super::feed::{Feed, Message};
use super::places::Places;

/// Between tries to reach the database.
const RETRY: Duration = Duration::from_secs(1);

#[derive(Clone)]
pub struct Hub {
    services: Services,
    feeds: Arc<Mutex<HashMap<LiveKey, Arc<Feed>>>>,
    pub(super) places: Places,
    shutdown: CancellationToken,
}

impl Hub {
    pub fn start(services: Services, shutdown: CancellationToken) -> Self {
        let hub = Self { services, feeds: Arc::default(), places: Places::default(), shutdown };
        let listening = hub.clone();
        tokio::spawn(async move {
            let ended = listening.shutdown.clone();
            ended.run_until_cancelled(listening.listen()).await;
        });
        hub
    }

    /// Follows a page: everything as it was read last, if it was, then every change.
    pub fn follow(&self, seat: &Seat, page: LivePage) -> Followed {
        let key = LiveKey::new(seat, &page);
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        let feed = feeds.entry(key.clone()).or_insert_with(|| {
            let feed = Arc::new(Feed::new(page));
            self.run(key, feed.clone(), seat.clone());
            feed
        });
        let (first, changes) = feed.subscribe();
        Followed { feed: feed.clone(), first, changes }
    }

    fn run(&self, key: LiveKey, feed: Arc<Feed>, seat: Seat) {
        let hub = self.clone();
        tokio::spawn(async move {
            // Under the lock that `follow` takes: nobody joins a feed that is about to end.
            let is_over = || {
                let mut feeds = hub.feeds.lock().unwrap_or_else(PoisonError::into_inner);
                let over = !feed.has_readers();
                if over {
                    feeds.remove(&key);
                }
                over
            };
            hub.shutdown.run_until_cancelled(feed.run(&hub.services, &seat, is_over)).await;
        });
    }

    async fn listen(&self) {
        loop {
            match self.services.listen_live().await {
                Ok(mut listener) => {
                    self.wake(|_| true);
                    loop {
                        match listener.next().await {
                            Ok(Heard::Changed(workspace)) => self.wake(|key| key.workspace() == workspace),
                            Ok(Heard::Reconnected) => self.wake(|_| true),
                            Err(error) => {
                                tracing::warn!(%error, "the database's word of changes was lost");
                                break;
                            }
                        }
                    }
                }
                Err(error) => tracing::warn!(code = ?error.code, "cannot listen for changes; pages are read every 2 s"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    fn wake(&self, which: impl Fn(&LiveKey) -> bool) {
        let feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        feeds.iter().filter(|(key, _)| which(key)).for_each(|(_, feed)| feed.wake());
    }
}

/// A page that is being followed.
pub struct Followed {
    feed: Arc<Feed>,
    first: Option<Message>,
    changes: broadcast::Receiver<Message>,
}

impl Followed {
    /// The next update. One who fell behind is sent everything anew. Safe to cancel.
    pub async fn next(&mut self) -> Option<Message> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            match self.changes.recv().await {
                Ok(message) => return Some(message),
                Err(broadcast::error::RecvError::Closed) => return None,
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    let (everything, changes) = self.feed.subscribe();
                    self.changes = changes;
                    if everything.is_some() {
                        return everything;
                    }
                }
            }
        }
    }
}
