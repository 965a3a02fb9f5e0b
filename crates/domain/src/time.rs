//! Time as we keep it: microseconds since 1970-01-01 UTC, which is what Postgres resolves.

/// Microseconds since the Unix epoch.
pub type Micros = i64;

pub const SECOND: Micros = 1_000_000;
pub const MINUTE: Micros = 60 * SECOND;
pub const HOUR: Micros = 60 * MINUTE;
pub const DAY: Micros = 24 * HOUR;

/// Start of the UTC day that `at` falls on.
pub const fn day_start(at: Micros) -> Micros {
    at - at.rem_euclid(DAY)
}

/// Start of the bucket of `step` that `at` falls on, counted from the epoch.
pub const fn bucket_start(at: Micros, step: Micros) -> Micros {
    at - at.rem_euclid(step)
}
