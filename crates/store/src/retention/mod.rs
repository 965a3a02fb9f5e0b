//! Retention: how long a workspace keeps what, and the bounded removal of what is older.
//!
//! What other data still follows from stays, whatever its age: segments that are not refined or that an open dead letter
//! stands in, samples that are not rolled up, replayed letters that a rebuild would read. Each removal notes what is gone
//! from the beginning (`bronze_cuts`, `retention_floors`), so that nothing is made anew from the rest as if it were all.

mod measure;
mod policy;
mod remove;
mod run;

pub use measure::{Figures, measure};
pub use policy::{Hold, enter, is_held, lift_hold, list_holds, list_policies, place_hold, set_policy};
pub use remove::{BATCH_ROWS, Removed, remove_batch};
pub use run::{
    Run, RunEnd, drop_empty_partitions, find_bronze_cut, finish, list_cuts, list_floors, list_last_runs,
    list_workspaces, note,
};
