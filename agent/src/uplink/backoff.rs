//! When to try again: at once after a connection that worked, then later and later, never all agents together.

use rand::RngExt;
use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    most: Duration,
    tries: u32,
}

impl Backoff {
    pub fn new(first: Duration, most: Duration) -> Self {
        Self { first, most, tries: 0 }
    }

    /// It worked: the next try is immediate again.
    pub fn reset(&mut self) {
        self.tries = 0;
    }

    /// Pause before the next try.
    pub fn next_pause(&mut self) -> Duration {
        let tries = self.tries;
        self.tries = tries.saturating_add(1);
        if tries == 0 {
            return Duration::ZERO;
        }
        let full = self.first.saturating_mul(1_u32.checked_shl(tries - 1).unwrap_or(u32::MAX)).min(self.most);
        full.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_bound_and_begins_anew() {
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(30));
        assert_eq!(backoff.next_pause(), Duration::ZERO);
        let pauses: Vec<_> = (0..100).map(|_| backoff.next_pause()).collect();
        assert!((100..=200).contains(&(pauses[0].as_millis() as u64)));
        assert!(pauses[20..].iter().all(|p| (15..=30).contains(&p.as_secs())));
        backoff.reset();
        assert_eq!(backoff.next_pause(), Duration::ZERO);
    }
}
