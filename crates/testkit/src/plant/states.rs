//! The engines' states: simulated, from seeded dice. A machine runs, stops for one of three causes, and runs again.

use super::dice::Dice;

/// One row of `machine_states`.
#[derive(Clone, Debug, PartialEq)]
pub struct StateChange {
    pub state: &'static str,
    pub reason: Option<&'static str>,
    pub started_us: i64,
}

#[derive(Clone, Debug)]
pub struct StateWalk {
    dice: Dice,
    running: bool,
    next_us: i64,
}

impl StateWalk {
    /// `count`: how many changes the machine has had, so that a walk goes on and does not repeat itself.
    pub fn new(seed: u64, machine: usize, count: u64, running: bool, from_us: i64) -> Self {
        Self { dice: Dice::new(seed, &[5, machine as u64, count]), running, next_us: from_us }
    }

    /// Waits out the present state before the next change: for a machine that has a state already.
    pub fn waiting(mut self) -> Self {
        self.next_us += self.duration_us(if self.running { 480 } else { 120 });
        self
    }

    /// The next change, when it is due.
    pub fn due(&mut self, now_us: i64) -> Option<StateChange> {
        if self.next_us > now_us {
            return None;
        }
        let started_us = self.next_us;
        let (state, reasons, mean_s): (_, &[&str], _) = if !self.running {
            ("running", &[], 480)
        } else {
            match self.dice.below(10) {
                0..=3 => ("idle", &["no order", "waiting for material", "operator break"], 90),
                4..=6 => ("set-up", &["change-over", "calibration", "first-article check"], 180),
                _ => ("down", &["bearing temperature high", "vibration trip", "fuel valve fault", "sensor loss"], 240),
            }
        };
        let reason = (!reasons.is_empty()).then(|| self.dice.pick(reasons));
        self.running = state == "running";
        self.next_us += self.duration_us(mean_s);
        Some(StateChange { state, reason, started_us })
    }

    /// Exponential around the mean, at least 5 s and at most 5 means.
    fn duration_us(&mut self, mean_s: u32) -> i64 {
        let mean = f64::from(mean_s);
        let seconds = (-mean * (1.0 - self.dice.unit()).ln()).clamp(5.0, 5.0 * mean);
        (seconds * 1e6) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_walk_repeats_for_its_seed_and_always_comes_back_to_running() {
        let walk = |seed| {
            let mut walk = StateWalk::new(seed, 3, 0, false, 0);
            std::iter::from_fn(move || walk.due(86_400_000_000)).collect::<Vec<_>>()
        };
        assert_eq!(walk(1), walk(1));
        assert_ne!(walk(1), walk(2));
        let changes = walk(1);
        assert!(changes.len() > 60, "{}", changes.len());
        for pair in changes.windows(2) {
            assert!(pair[0].started_us < pair[1].started_us);
            assert_ne!(pair[0].state == "running", pair[1].state == "running");
        }
    }
}
