//! Sources against the real systems, through the real spool.

mod conformance;
mod fold;
mod harness;
mod postgres;
