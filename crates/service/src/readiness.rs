//! Whether the database answers, for whoever asks: anybody may, as often as they like, so it is looked at once for all who ask at
//! the same time, and what was found is good for a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::Services;

/// So long what was found is told to others.
const GOOD_FOR: Duration = Duration::from_secs(1);

/// What the last look found.
#[derive(Clone, Debug)]
pub(crate) struct Readiness {
    good_for: Duration,
    /// When a look ended, and whether all was well. Held while one is under way: whoever comes meanwhile waits for it.
    last: Arc<Mutex<Option<(Instant, bool)>>>,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { good_for: GOOD_FOR, last: Arc::default() }
    }
}

impl Readiness {
    /// What `look` finds, or what was found a moment ago.
    async fn known(&self, look: impl Future<Output = bool> + Send + 'static) -> bool {
        let mut last = Arc::clone(&self.last).lock_owned().await;
        if let Some((at, found)) = *last
            && at.elapsed() < self.good_for
        {
            return found;
        }
        // To its end, also when whoever asked goes away: the next one would begin another beside it.
        let looking = tokio::spawn(async move {
            let found = look.await;
            *last = Some((Instant::now(), found));
            found
        });
        looking.await.unwrap_or(false)
    }
}

impl Services {
    /// Whether the database answers, or did within the last second.
    pub async fn is_ready(&self) -> bool {
        let (auth, app) = (self.auth.clone(), self.app.clone());
        self.readiness.known(async move { auth.ping().await.is_ok() && app.ping().await.is_ok() }).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A look that takes a moment and is counted.
    async fn look(looks: Arc<AtomicU32>, found: bool) -> bool {
        looks.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(5)).await;
        found
    }

    #[tokio::test]
    async fn a_hundred_who_ask_at_once_are_one_look() {
        for found in [true, false] {
            let (readiness, looks) = (Readiness::default(), Arc::new(AtomicU32::new(0)));
            let ask = || readiness.known(look(Arc::clone(&looks), found));
            for told in join_all((0..100).map(|_| ask())).await {
                assert_eq!(told, found);
            }
            // And one after the other, within the second.
            for _ in 0..10 {
                assert_eq!(ask().await, found);
            }
            assert!(looks.load(Ordering::Relaxed) <= 2, "{looks:?}");
        }
    }

    #[tokio::test]
    async fn what_was_found_is_told_for_a_moment_only() {
        let readiness = Readiness { good_for: Duration::ZERO, ..Readiness::default() };
        let looks = Arc::new(AtomicU32::new(0));
        for found in [true, false, true] {
            assert_eq!(readiness.known(look(Arc::clone(&looks), found)).await, found);
        }
        assert_eq!(looks.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn whoever_goes_away_leaves_one_look() {
        let (readiness, looks) = (Readiness::default(), Arc::new(AtomicU32::new(0)));
        for _ in 0..20 {
            let asked = readiness.known(look(Arc::clone(&looks), true));
            let _ = tokio::time::timeout(Duration::ZERO, asked).await;
        }
        assert!(readiness.known(look(Arc::clone(&looks), true)).await);
        assert_eq!(looks.load(Ordering::Relaxed), 1);
    }
}
