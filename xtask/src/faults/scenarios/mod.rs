//! Faults other than a kill, one file each. Each ends as the architecture says: nothing lost silently, nothing refused
//! for ever.

pub mod agent_clock;
pub mod agent_restored;
pub mod clock_ahead;
pub mod half_open;
pub mod midnight;
pub mod platform_restored;
pub mod spool_bound;
pub mod too_large;
