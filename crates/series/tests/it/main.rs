//! The promises of the crate, on generated rows.

mod aggregates;
mod charts;
mod chunks;
mod damage;
mod merging;
mod rows;
