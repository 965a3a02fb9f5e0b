//! What a workspace has used of its plan: days of events and bytes, exports, the notices of a month, and slowdowns.
//!
//! Days and months are UTC's, as the database's clock has them: what counts and what is counted are asked of one clock.

mod day;
mod export;
mod notice;

pub use day::{Day, Month, list_days, of_month};
pub use export::{count_exports_today, take_export};
pub use notice::{find_slowdown, list_notices, note, note_slowdown};
