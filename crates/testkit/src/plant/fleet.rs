//! The engines' telemetry: row number in, row out. Nothing is remembered, so any part of it can be made at any time.

use serde_json::{Value, json};

use super::dice::Dice;
use super::recorded::{COLUMNS, ENGINES, RUNS};

/// Rows over which an engine's `extra` keeps the same fields.
const EXTRA_WINDOW: u64 = 64;
/// One row in this many carries `extra`, in a window that has some.
const EXTRA_EVERY: u64 = 8;

/// Up to 100 engines; each runs through its own recorded life, from a place of its own, again and again.
#[derive(Clone, Debug)]
pub struct Fleet {
    seed: u64,
    rate: u64,
    rows_per_cycle: u64,
    /// Time of row 0, in microseconds of Unix time.
    base_us: i64,
    /// Index into the engine's run at which it starts.
    offsets: Vec<u64>,
}

/// One row of `telemetry`.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// From 0; machine 0 is `ENG-001`.
    pub machine: usize,
    /// Microseconds of Unix time.
    pub ts_us: i64,
    /// From 1.
    pub cycle: i32,
    pub values: [f64; COLUMNS],
    pub extra: Option<String>,
}

impl Fleet {
    /// `rate` rows a second in all, taken in turn by `machines`; each recorded cycle stays for `rows_per_cycle` rows of
    /// its machine.
    pub fn new(seed: u64, machines: usize, rate: u64, rows_per_cycle: u64, base_us: i64) -> Self {
        let machines = machines.clamp(1, ENGINES);
        let offsets = (0..machines)
            .map(|machine| Dice::new(seed, &[1, machine as u64]).below(RUNS[machine].len()) as u64)
            .collect();
        Self { seed, rate: rate.max(1), rows_per_cycle: rows_per_cycle.max(1), base_us, offsets }
    }

    pub fn machines(&self) -> usize {
        self.offsets.len()
    }

    /// The machine's next reading is the one after `cycle` (from 1) of its run.
    pub fn resume(&mut self, machine: usize, cycle: u64) {
        self.offsets[machine] = cycle % RUNS[machine].len() as u64;
    }

    /// All further rows come this much later: what a writer does that cannot hold its rate.
    pub fn delay(&mut self, by_us: i64) {
        self.base_us += by_us;
    }

    pub fn ts_us(&self, row: u64) -> i64 {
        self.base_us + (row as u128 * 1_000_000 / u128::from(self.rate)) as i64
    }

    pub fn reading(&self, row: u64) -> Reading {
        let machines = self.offsets.len() as u64;
        let (machine, turn) = ((row % machines) as usize, row / machines);
        let run = &RUNS[machine];
        let position = ((self.offsets[machine] + turn / self.rows_per_cycle) % run.len() as u64) as usize;
        let part = turn % self.rows_per_cycle;
        let mut values = run[position];
        if part > 0 && position + 1 < run.len() {
            let share = part as f64 / self.rows_per_cycle as f64;
            for (value, next) in values.iter_mut().zip(run[position + 1]) {
                *value += (next - *value) * share;
            }
        }
        Reading {
            machine,
            ts_us: self.ts_us(row),
            cycle: position as i32 + 1,
            values,
            extra: self.extra(machine, turn, position == 0, part > 0).map(|extra| extra.to_string()),
        }
    }

    /// Simulated: fields that come for a while and go, and now and then change their type.
    fn extra(&self, machine: usize, turn: u64, replaced: bool, interpolated: bool) -> Option<Value> {
        let mut extra = serde_json::Map::new();
        if interpolated {
            extra.insert("interpolated".into(), json!(true));
        } else if replaced {
            extra.insert("engine_replaced".into(), json!(true));
        }
        if turn.is_multiple_of(EXTRA_EVERY) {
            let mut window = Dice::new(self.seed, &[2, machine as u64, turn / EXTRA_WINDOW]);
            let mut dice = Dice::new(self.seed, &[3, machine as u64, turn]);
            match window.below(8) {
                0 => {
                    let celsius = 80.0 + (dice.unit() * 200.0).round() / 10.0;
                    extra.insert("oil_temperature_c".into(), json!(celsius));
                }
                1 => {
                    let operator = window.pick(&["M. Okafor", "J. Lindqvist", "S. Tanaka", "R. Dias"]);
                    extra.insert("operator".into(), json!(operator));
                    extra.insert("shift".into(), json!(window.pick(&["early", "late", "night"])));
                }
                2 => {
                    let retries = dice.below(5);
                    extra.insert("link".into(), json!({ "retries": retries, "flags": ["weak", "roaming"] }));
                }
                // The same path, once as text and once as a number.
                3 => drop(extra.insert("firmware".into(), json!("4.2.1"))),
                4 => drop(extra.insert("firmware".into(), json!(5))),
                _ => {}
            }
        }
        (!extra.is_empty()).then_some(Value::Object(extra))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const BASE_US: i64 = 1_700_000_000_000_000;

    fn rows(seed: u64, count: u64) -> Vec<Reading> {
        let fleet = Fleet::new(seed, 100, 5_000, 1, BASE_US);
        (0..count).map(|row| fleet.reading(row)).collect()
    }

    #[test]
    fn the_same_seed_gives_the_same_first_10_000_rows() {
        assert_eq!(rows(7, 10_000), rows(7, 10_000));
        assert_ne!(rows(7, 10_000), rows(8, 10_000));
    }

    #[test]
    fn without_interpolation_every_value_is_a_recorded_one() {
        for reading in rows(3, 30_000) {
            assert_eq!(reading.values, RUNS[reading.machine][reading.cycle as usize - 1]);
        }
    }

    #[test]
    fn an_interpolated_value_says_so_and_lies_between_its_neighbours() {
        let fleet = Fleet::new(3, 1, 1, 10, BASE_US);
        let mut between = 0;
        for reading in (0..1_000).map(|row| fleet.reading(row)) {
            let position = reading.cycle as usize - 1;
            let Some(next) = RUNS[0].get(position + 1) else { continue };
            let (a, b) = (RUNS[0][position][4], next[4]);
            assert!(reading.values[4] >= a.min(b) - 1e-9 && reading.values[4] <= a.max(b) + 1e-9);
            if reading.values != RUNS[0][position] {
                between += 1;
                assert!(reading.extra.expect("labelled").contains("interpolated"));
            }
        }
        assert!(between > 800);
    }

    #[test]
    fn no_machine_has_two_rows_at_one_time_even_at_the_highest_rate() {
        for machines in [1, 7, 100] {
            let fleet = Fleet::new(1, machines, 50_000, 1, BASE_US);
            let keys: HashSet<_> = (0..100_000).map(|row| fleet.reading(row)).map(|r| (r.machine, r.ts_us)).collect();
            assert_eq!(keys.len(), 100_000);
        }
    }

    #[test]
    fn a_resumed_machine_goes_on_with_the_next_cycle_and_wraps() {
        let mut fleet = Fleet::new(1, 2, 10, 1, BASE_US);
        fleet.resume(0, 41);
        fleet.resume(1, RUNS[1].len() as u64);
        assert_eq!((fleet.reading(0).cycle, fleet.reading(2).cycle), (42, 43));
        assert_eq!(fleet.reading(1).cycle, 1);
    }

    #[test]
    fn extras_come_and_go() {
        let rows = rows(1, 100_000);
        let with = rows.iter().filter(|row| row.extra.is_some()).count();
        assert!(with > 2_000 && with < 50_000, "{with}");
    }
}
