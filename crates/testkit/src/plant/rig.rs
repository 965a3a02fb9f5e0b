//! The hydraulic rig: the second of Unix time says which recorded second it shows.

use super::dice::Dice;
use super::recorded::{CONDITIONS, Condition, RIG};

pub const RIG_ID: &str = "RIG-01";

#[derive(Clone, Debug)]
pub struct Rig {
    offset: u64,
}

impl Rig {
    /// The seed says where in the recording the rig is; whole cycles, so that a load cycle begins with the minute.
    pub fn new(seed: u64) -> Self {
        Self { offset: Dice::new(seed, &[4]).below(CONDITIONS.len()) as u64 * 60 }
    }

    pub fn values(&self, unix_s: i64) -> [f64; 8] {
        RIG[self.index(unix_s)]
    }

    pub fn condition(&self, unix_s: i64) -> Condition {
        CONDITIONS[self.index(unix_s) / 60]
    }

    fn index(&self, unix_s: i64) -> usize {
        ((unix_s as u64 + self.offset) % RIG.len() as u64) as usize
    }
}

impl Condition {
    /// The rig ran all the time; while the recording says that conditions may not have settled, it is in set-up. The
    /// reason is the worst recorded condition.
    pub fn state(&self) -> (&'static str, Option<&'static str>) {
        let reason = match self {
            Self { settling: true, .. } => return ("set-up", Some("conditions settling")),
            Self { cooler_percent: ..=3, .. } => Some("cooler near failure"),
            Self { valve_percent: ..=73, .. } => Some("valve near failure"),
            Self { accumulator_bar: ..=90, .. } => Some("accumulator near failure"),
            Self { pump_leakage: 2, .. } => Some("severe pump leakage"),
            Self { valve_percent: ..=80, .. } => Some("valve lags severely"),
            Self { cooler_percent: ..=20, .. } => Some("cooler reduced"),
            Self { pump_leakage: 1, .. } => Some("weak pump leakage"),
            _ => None,
        };
        ("running", reason)
    }

    pub fn note(&self) -> String {
        format!(
            "cooler {} %, valve {} %, pump leakage {}, accumulator {} bar",
            self.cooler_percent, self.valve_percent, self.pump_leakage, self.accumulator_bar
        )
    }
}
