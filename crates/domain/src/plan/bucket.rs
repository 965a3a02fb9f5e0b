//! A bucket of events that fills at the plan's rate: what a workspace has sent is taken out of it.
//!
//! It may be overdrawn: a batch is never cut, so it goes as soon as something is there and pays in full. Over time no more
//! goes than the rate allows, and the burst once.

use super::BURST_S;
use crate::time::{Micros, SECOND};

/// The bucket of one workspace. Whoever has it says what time it is.
#[derive(Clone, Debug, PartialEq)]
pub struct RateBucket {
    per_second: f64,
    /// Events that may go now; below zero: on credit.
    level: f64,
    at: Micros,
}

impl RateBucket {
    /// Full.
    pub fn new(per_second: u64, now: Micros) -> Self {
        // A rate of nothing would never let the first batch pass: as good as nothing is one an hour.
        let per_second = (per_second as f64).max(1.0 / 3600.0);
        Self { per_second, level: per_second * BURST_S as f64, at: now }
    }

    /// Goes on at another rate; what was overdrawn stays so.
    pub fn set_rate(&mut self, per_second: u64, now: Micros) {
        self.fill(now);
        let level = self.level;
        *self = Self::new(per_second, now);
        self.level = self.level.min(level);
    }

    /// How long until something may go; zero: now.
    pub fn wait_us(&mut self, now: Micros) -> Micros {
        self.fill(now);
        if self.level > 0.0 {
            return 0;
        }
        // At least a millisecond, so that nobody asks again at once.
        ((-self.level / self.per_second * SECOND as f64).ceil() as Micros).max(SECOND / 1000)
    }

    /// Takes so many out, be they there or not.
    pub fn take(&mut self, events: u64, now: Micros) {
        self.fill(now);
        self.level -= events as f64;
    }

    /// A clock that was set back fills nothing, and is gone on with.
    fn fill(&mut self, now: Micros) {
        let passed = (now - self.at).max(0) as f64 / SECOND as f64;
        self.level = (self.level + passed * self.per_second).min(self.per_second * BURST_S as f64);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends batches as fast as the bucket lets them go, for so many seconds; gives how many events went.
    fn sent(bucket: &mut RateBucket, batch: u64, seconds: i64) -> u64 {
        let (mut now, mut sent) = (0, 0);
        loop {
            now += bucket.wait_us(now);
            if now >= seconds * SECOND {
                return sent;
            }
            bucket.take(batch, now);
            sent += batch;
        }
    }

    #[test]
    fn over_time_no_more_goes_than_the_rate_and_the_burst_once() {
        for batch in [1, 10, 999, 20_000] {
            let sent = sent(&mut RateBucket::new(100, 0), batch, 1_000);
            let allowed = 100 * (1_000 + BURST_S);
            assert!((allowed..=allowed + 2 * batch).contains(&sent), "{sent} in batches of {batch}");
        }
    }

    #[test]
    fn a_batch_is_never_cut_and_pays_in_full() {
        let mut bucket = RateBucket::new(10, 0);
        assert_eq!(bucket.wait_us(0), 0);
        bucket.take(1_300, 0);
        assert_eq!(bucket.wait_us(0), 100 * SECOND, "1,000 on credit at 10 a second");
        assert_eq!(bucket.wait_us(99 * SECOND), SECOND);
        assert_eq!(bucket.wait_us(101 * SECOND), 0);
    }

    #[test]
    fn who_rests_gets_a_burst_and_no_more() {
        let mut bucket = RateBucket::new(10, 0);
        bucket.take(300, 0);
        // An hour of rest.
        let now = 3_600 * SECOND;
        bucket.take(299, now);
        assert_eq!(bucket.wait_us(now), 0);
        bucket.take(11, now);
        assert_eq!(bucket.wait_us(now), SECOND);
    }

    #[test]
    fn another_rate_forgives_nothing_and_a_clock_set_back_gives_nothing() {
        let mut bucket = RateBucket::new(10, 0);
        bucket.take(400, 0);
        assert_eq!(bucket.wait_us(0), 10 * SECOND);
        bucket.set_rate(100, 0);
        assert_eq!(bucket.wait_us(0), SECOND);
        assert_eq!(bucket.wait_us(-50 * SECOND), SECOND);
        assert_eq!(bucket.wait_us(-49 * SECOND), SECOND / 1000, "from the new time on it fills again");
        assert_eq!(RateBucket::new(0, 0).wait_us(0), 0, "a rate of nothing lets one go");
    }
}
