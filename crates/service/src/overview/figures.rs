//! Figures of the day from state intervals.

use std::collections::HashMap;

use clarity_domain::state::StateCategory;
use clarity_domain::time::{Micros, SECOND};
use clarity_store::state::Interval;

/// Time of all machines together since midnight, by what their states count as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Day {
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
pub(crate) fn day(intervals: &[Interval], midnight: Micros, now: Micros) -> Day {
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

/// Steps of a line of the day, at most.
const STEPS: i64 = 48;

/// The day so far, step by step; empty while there are not two steps of a second.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lines {
    /// Machines running, on average over the step.
    pub running: Vec<Option<f64>>,
    pub availability: Vec<Option<f64>>,
    /// Machines down, on average over the step.
    pub down: Vec<Option<f64>>,
}

/// Cuts intervals into equal steps from the first moment since midnight at which a state is known until now. A step in
/// which no machine's state is known has no value; a planned stop is a known one.
pub(crate) fn lines(intervals: &[Interval], midnight: Micros, now: Micros) -> Lines {
    let known = || intervals.iter().filter(|i| i.category != StateCategory::Unknown && i.from < now);
    let Some(from) = known().map(|i| i.from.max(midnight)).min() else { return Lines::default() };
    // Whole seconds, so that the grid stays for a while and two reads of one minute agree.
    let step = ((now - from) / STEPS / SECOND + 1) * SECOND;
    let steps = usize::try_from((now - from + step - 1) / step).unwrap_or(0);
    if steps < 2 {
        return Lines::default();
    }
    #[derive(Clone, Copy, Default)]
    struct Step {
        any: Micros,
        running: Micros,
        day: Day,
    }
    let mut sums = vec![Step::default(); steps];
    for interval in known() {
        let (starts, ends) = (interval.from.max(from), interval.to.unwrap_or(now).min(now));
        if ends <= starts {
            continue;
        }
        let (first, last) = ((starts - from) / step, (ends - 1 - from) / step);
        for at in first..=last {
            let span = ends.min(from + (at + 1) * step) - starts.max(from + at * step);
            let sum = &mut sums[at as usize];
            sum.any += span;
            match interval.category {
                StateCategory::Planned | StateCategory::Unknown => continue,
                StateCategory::Running => sum.running += span,
                StateCategory::Down => sum.day.down += span,
                StateCategory::Idle | StateCategory::SetUp => {}
            }
            sum.day.known += span;
        }
    }
    let known = |value: fn(&Step, Micros) -> Option<f64>| -> Vec<Option<f64>> {
        let of = |(at, sum): (usize, &Step)| {
            // The last step is as long as it has lasted.
            let length = step.min(now - from - at as i64 * step);
            value(sum, length).filter(|_| sum.any > 0)
        };
        sums.iter().enumerate().map(of).collect()
    };
    Lines {
        running: known(|sum, length| Some(rounded(sum.running as f64 / length as f64, 10.0))),
        availability: known(|sum, _| sum.day.availability().map(|share| rounded(share, 10_000.0))),
        down: known(|sum, length| (sum.day.known > 0).then(|| rounded(sum.day.down as f64 / length as f64, 10.0))),
    }
}

/// As fine as a line can show: more digits would only be carried to every open page.
fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

/// The state each machine is in: its newest open interval.
pub(crate) fn open(intervals: &[Interval]) -> HashMap<i32, &Interval> {
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
pub(crate) fn running(intervals: &[Interval]) -> usize {
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
    use clarity_domain::ids::StreamId;

    fn interval(asset_number: i32, from: Micros, to: Option<Micros>, category: StateCategory) -> Interval {
        Interval {
            stream_id: StreamId(uuid::Uuid::nil()),
            asset_number,
            from,
            to,
            state: category.as_str().into(),
            category,
            reason: None,
        }
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
    fn a_line_of_the_day_begins_where_something_is_known_and_ends_now() {
        use StateCategory::{Down, Planned, Running, Unknown};
        let s = SECOND;
        assert_eq!(lines(&[], 0, 100 * s), Lines::default());
        assert_eq!(lines(&[interval(1, 0, None, Unknown)], 0, 100 * s), Lines::default(), "unknown is not known");
        assert_eq!(lines(&[interval(1, 99 * s, None, Running)], 0, 100 * s), Lines::default(), "no line of one point");
        // 96 s of the day are known: 48 steps of 2 s would end exactly now, so a step takes 3 s and the last one is whole.
        let now = 100 * s;
        let intervals = [
            interval(1, 4 * s, Some(10 * s), Running),
            interval(1, 10 * s, Some(13 * s), Down),
            interval(1, 19 * s, None, Running),
            interval(2, 7 * s, Some(16 * s), Planned),
            interval(2, 97 * s, None, Running),
        ];
        let lines = lines(&intervals, 0, now);
        assert_eq!(lines.running.len(), 32);
        assert_eq!(lines.running[..6], [Some(1.0), Some(1.0), Some(0.0), Some(0.0), None, Some(1.0)]);
        assert_eq!(lines.availability[..6], [Some(1.0), Some(1.0), Some(0.0), None, None, Some(1.0)]);
        assert_eq!(lines.down[..4], [Some(0.0), Some(0.0), Some(1.0), None]);
        assert_eq!(lines.running.last(), Some(&Some(2.0)), "the last step ends now");
    }

    #[test]
    fn the_lines_and_the_figures_of_a_day_agree() {
        use StateCategory::{Down, Running};
        let (midnight, now) = (1000 * SECOND, 1000 * SECOND + 5 * 3600 * SECOND + 12_345);
        let mut intervals = Vec::new();
        for machine in 0..7 {
            let long = (600 + 77 * i64::from(machine)) * SECOND;
            let starts = (0..).map(|n| midnight - 900 * SECOND + n * long).take_while(|at| *at < now);
            for (n, from) in starts.enumerate() {
                let to = Some(from + long).filter(|to| *to < now);
                intervals.push(interval(machine, from, to, if n % 3 == 2 { Down } else { Running }));
            }
        }
        let (day, lines) = (day(&intervals, midnight, now), lines(&intervals, midnight, now));
        assert!((40..=48).contains(&lines.running.len()), "{}", lines.running.len());
        for (running, down) in lines.running.iter().zip(&lines.down) {
            let both = running.unwrap() + down.unwrap();
            assert!((both - 7.0).abs() <= 0.1 + 1e-9, "every machine is one or the other: {both}");
        }
        let down: f64 = lines.down.iter().flatten().sum::<f64>() / lines.down.len() as f64;
        let day_down = day.down as f64 / (now - midnight) as f64;
        assert!((down - day_down).abs() < 0.1, "{down} {day_down}");
    }

    #[test]
    fn a_minute_that_nobody_knows_stays_unknown() {
        let lines = [vec![None, Some(1.0), None], vec![None, Some(2.0), Some(3.0)]];
        assert_eq!(sum_lines(&lines), [None, Some(3.0), Some(3.0)]);
        assert!(sum_lines(&[]).is_empty());
    }
}
