//! Figures of the day from state intervals.

use std::collections::HashMap;

use clarity_domain::state::StateCategory;
use clarity_domain::time::{Micros, SECOND};
use clarity_store::state::Interval;

/// Time of all machines together since midnight, by what their states count as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Day {
    /// Time in a state that is neither a planned stop nor unknown.
    pub known: Micros,
    pub down: Micros,
}

impl Day {
    /// Availability = (known − down) / known, where *known* is the time, summed over machines since the site's
    /// midnight, in a state that is neither planned stop nor unknown, and *down* is the part of it in down states.
    /// Time without any interval counts for nothing. `None` without known time.
    pub fn availability(&self) -> Option<f64> {
        (self.known > 0).then(|| (self.known - self.down) as f64 / self.known as f64)
    }

    /// Seconds in down states, summed over machines. `None` while no state is known: that is not zero downtime.
    pub fn downtime_s(&self) -> Option<i64> {
        (self.known > 0).then_some(self.down / SECOND)
    }
}

/// Sums intervals, cut to `[midnight, now)`. An open one lasts until now.
pub(super) fn day(intervals: &[Interval], midnight: Micros, now: Micros) -> Day {
    let mut day = Day::default();
    for interval in intervals {
        let span = (interval.to.unwrap_or(now).min(now) - interval.from.max(midnight)).max(0);
        match interval.category {
            StateCategory::Planned | StateCategory::Unknown => {}
            StateCategory::Down => {
                day.known += span;
                day.down += span;
            }
            StateCategory::Running | StateCategory::Idle | StateCategory::SetUp => day.known += span,
        }
    }
    day
}

/// The state each machine is in: its newest open interval.
pub(super) fn open(intervals: &[Interval]) -> HashMap<i32, &Interval> {
    let mut open: HashMap<i32, &Interval> = HashMap::new();
    for interval in intervals.iter().filter(|i| i.to.is_none()) {
        let newest = open.entry(interval.asset_number).or_insert(interval);
        if interval.from >= newest.from {
            *newest = interval;
        }
    }
    open
}

/// Machines whose open state counts as running.
pub(super) fn running(intervals: &[Interval]) -> usize {
    open(intervals).values().filter(|i| i.category == StateCategory::Running).count()
}

/// Adds lines of the same length. A minute counts when any source knows it.
pub(super) fn sum_lines(lines: &[Vec<Option<f64>>]) -> Vec<Option<f64>> {
    let length = lines.iter().map(Vec::len).max().unwrap_or(0);
    (0..length).map(|i| lines.iter().filter_map(|line| line.get(i).copied().flatten()).reduce(|a, b| a + b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(asset_number: i32, from: Micros, to: Option<Micros>, category: StateCategory) -> Interval {
        Interval { asset_number, from, to, state: category.as_str().into(), category, reason: None }
    }

    #[test]
    fn availability_counts_known_time_of_the_day_only() {
        use StateCategory::{Down, Idle, Planned, Running, Unknown};
        let s = SECOND;
        let intervals = [
            interval(1, -50 * s, Some(20 * s), Running), // 20 s of it today
            interval(1, 20 * s, Some(30 * s), Down),
            interval(1, 30 * s, None, Idle), // until now: 70 s
            interval(2, 0, Some(40 * s), Planned),
            interval(2, 40 * s, None, Unknown),
        ];
        let day = day(&intervals, 0, 100 * s);
        assert_eq!(day, Day { known: 100 * s, down: 10 * s });
        assert_eq!((day.availability(), day.downtime_s()), (Some(0.9), Some(10)));
        assert_eq!(super::day(&intervals[3..], 0, 100 * s).downtime_s(), None, "nothing known is not zero");
        assert_eq!(running(&intervals), 0);
        assert_eq!(running(&[interval(3, 0, None, Running)]), 1);
    }

    #[test]
    fn a_minute_that_nobody_knows_stays_unknown() {
        let lines = [vec![None, Some(1.0), None], vec![None, Some(2.0), Some(3.0)]];
        assert_eq!(sum_lines(&lines), [None, Some(3.0), Some(3.0)]);
        assert!(sum_lines(&[]).is_empty());
    }
}
