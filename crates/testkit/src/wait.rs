//! Waiting for a condition with a bound, in place of sleeping and hoping.

use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(10);

/// Polls `condition` every 10 ms until it holds. Panics with `what` when `timeout` has passed.
///
/// ```ignore
/// wait_until("the slot is active", Duration::from_secs(10), || async { slot_is_active(&client).await }).await;
/// ```
#[track_caller]
pub fn wait_until<F, Fut>(what: &str, timeout: Duration, mut condition: F) -> impl Future<Output = ()>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = bool>,
{
    let caller = std::panic::Location::caller();
    async move {
        let started = Instant::now();
        while !condition().await {
            assert!(started.elapsed() < timeout, "{caller}: waited {timeout:?} in vain until {what}");
            tokio::time::sleep(STEP).await;
        }
    }
}

/// [`wait_until`] for code that is not async.
#[track_caller]
pub fn wait_until_blocking(what: &str, timeout: Duration, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < timeout, "waited {timeout:?} in vain until {what}");
        std::thread::sleep(STEP);
    }
}
