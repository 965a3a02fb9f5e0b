//! The plant: a customer's machines, as a customer's database sees them.
//!
//! **Recorded**: every sensor value and setting in `telemetry` (NASA's C-MAPSS FD001, 100 engines run to failure) and in
//! `rig_telemetry` (a hydraulic rig, measured at 1 Hz over 36.75 hours), and the rig's conditions behind its states.
//!
//! **Simulated**, and labelled so in the schema's comments and in `machine_states.simulated`: the names, lines and sites
//! of the machines, the engines' states, the work orders, the fields of `telemetry.extra`, the times of all readings, and
//! values between two recorded cycles where `rows_per_cycle` is above 1 (such rows say `"interpolated": true` in
//! `extra`). An engine that reaches the end of its recorded life is replaced: its run starts again at cycle 1.
//!
//! Everything is a function of the seed, the time base and the row number, so the same seed gives the same data.

mod backfill;
mod copy;
mod dice;
mod fleet;
mod floor;
mod orders;
mod recorded;
mod rig;
mod run;
mod schema;
mod states;

pub use backfill::{Backfill, backfill};
pub(crate) use dice::Dice;
pub use fleet::{Fleet, Reading};
pub use recorded::{CONDITIONS, Condition, RIG, RUNS};
pub use run::{Run, run};
pub use schema::{ensure_machines, init, status};
