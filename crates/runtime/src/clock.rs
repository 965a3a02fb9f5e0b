//! The wall clock, in one place; and whether it agrees with that of the database, by which all machines of the platform write
//! down when something happened.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_util::sync::CancellationToken;

/// How often the clocks are compared.
const EVERY: Duration = Duration::from_secs(60);
/// What two clocks may differ by: machines that follow one clock differ by thousandths of a second.
const LEEWAY_US: i64 = 1_000_000;

/// Microseconds since 1970-01-01 UTC by this machine's clock.
pub fn now_us() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(d) => i64::try_from(d.as_micros()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_micros()).unwrap_or(i64::MAX),
    }
}

/// Compares this machine's clock with another's at once and then every minute, and writes it into the log when they differ.
/// `ask` says what the other one shows, in microseconds, or nothing when it does not answer.
pub async fn watch<F: Future<Output = Option<i64>>>(ask: impl Fn() -> F, shutdown: CancellationToken) {
    loop {
        if let Some(apart_us) = apart(&ask).await {
            tracing::warn!(
                apart_ms = apart_us / 1_000,
                "the database's clock and this machine's differ, and with them the times in logs: let both follow one clock (NTP)"
            );
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// By how much the other clock is ahead, when that is more than it may be.
async fn apart<F: Future<Output = Option<i64>>>(ask: &impl Fn() -> F) -> Option<i64> {
    let before = now_us();
    let theirs = ask().await?;
    let apart_us = ahead_us(before, theirs, now_us());
    (apart_us.saturating_abs() > LEEWAY_US).then_some(apart_us)
}

/// How far a clock is ahead of ours, behind when it is negative, that was read at some moment between two of ours: as little as
/// can be, however long the way was.
fn ahead_us(before: i64, theirs: i64, after: i64) -> i64 {
    if theirs < before { theirs.saturating_sub(before) } else { theirs.saturating_sub(after).max(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_there_and_back_is_no_difference() {
        for (theirs, ahead) in [(90, -10), (100, 0), (150, 0), (200, 0), (230, 30)] {
            assert_eq!(ahead_us(100, theirs, 200), ahead, "{theirs}");
        }
        assert_eq!(ahead_us(i64::MAX, i64::MIN, i64::MAX), i64::MIN, "nonsense is far away, and no panic");
    }

    #[tokio::test]
    async fn a_clock_that_differs_is_found_and_silence_is_none() {
        let of = async |ahead_us: Option<i64>| apart(&|| async move { Some(now_us() + ahead_us?) }).await;
        assert_eq!((of(Some(0)).await, of(Some(500_000)).await, of(None).await), (None, None, None));
        let ahead = of(Some(5_000_000)).await.expect("five seconds are too much");
        assert!((4_000_000..=5_000_000).contains(&ahead), "{ahead}");
        let behind = of(Some(-5_000_000)).await.expect("and so are five behind");
        assert!((-5_000_000..=-4_000_000).contains(&behind), "{behind}");
    }

    #[tokio::test]
    async fn watching_ends_with_the_process() {
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        watch(|| async { None }, shutdown).await;
    }
}
