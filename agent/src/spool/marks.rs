//! When events were spooled: enough to say how old the oldest one is that is not durable.

use std::collections::VecDeque;

const STEP_US: i64 = 100_000;
const MOST: usize = 4096;

/// Sequences with their time, thinned out as the backlog grows.
#[derive(Debug)]
pub(super) struct Marks {
    marks: VecDeque<(u64, i64)>,
    step_us: i64,
}

impl Default for Marks {
    fn default() -> Self {
        Self { marks: VecDeque::new(), step_us: STEP_US }
    }
}

impl Marks {
    pub fn push(&mut self, first_seq: u64, at_us: i64) {
        if self.marks.back().is_some_and(|&(_, last)| at_us - last < self.step_us) {
            return;
        }
        if self.marks.len() == MOST {
            self.step_us *= 2;
            let mut keep = false;
            self.marks.retain(|_| {
                keep = !keep;
                keep
            });
        }
        self.marks.push_back((first_seq, at_us));
    }

    /// Forgets what is durable and gives the time of the oldest event that is not.
    pub fn oldest(&mut self, durable_next_seq: u64, next_seq: u64) -> Option<i64> {
        while self.marks.get(1).is_some_and(|&(seq, _)| seq <= durable_next_seq) {
            self.marks.pop_front();
        }
        if durable_next_seq >= next_seq {
            self.clear();
        }
        self.marks.front().map(|&(_, at)| at)
    }

    pub fn clear(&mut self) {
        self.marks.clear();
        self.step_us = STEP_US;
    }

    pub fn into_iter(self) -> impl Iterator<Item = (u64, i64)> {
        self.marks.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_follows_what_is_durable() {
        let mut marks = Marks::default();
        for i in 0..100_000_u64 {
            marks.push(1 + i, i as i64 * STEP_US);
        }
        assert!(marks.marks.len() <= MOST);
        assert_eq!(marks.oldest(1, 100_001), Some(0));
        let at = marks.oldest(50_000, 100_001).unwrap();
        assert!((49_900 * STEP_US..=50_000 * STEP_US).contains(&at), "{at}");
        assert_eq!(marks.oldest(100_001, 100_001), None);
        marks.push(100_001, 5);
        assert_eq!(marks.oldest(100_001, 100_002), Some(5));
    }
}
