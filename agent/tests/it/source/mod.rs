//! Sources against the real systems, through the real spool.

mod fold;
mod harness;
mod postgres;
