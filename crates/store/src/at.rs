//! Between the database's time and ours: microseconds since 1970 UTC, which is what Postgres resolves.

use clarity_domain::time::Micros;
use time::OffsetDateTime;

pub(crate) fn micros(at: OffsetDateTime) -> Micros {
    // The years 1 to 9999, which the type can hold, fit 64 bits of microseconds. The second is rounded down, so what is
    // added is never negative.
    at.unix_timestamp() * 1_000_000 + i64::from(at.microsecond())
}

/// The start of the year 1. What lies before, the type could hold, but Postgres not all of it.
const FIRST: Micros = -62_135_596_800_000_000;

/// Times outside the years 1 to 9999 become their ends.
pub(crate) fn timestamp(at: Micros) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at.max(FIRST)) * 1000)
        .unwrap_or(time::PrimitiveDateTime::MAX.assume_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back_as_they_went() {
        for at in [0, 1, -1, 1_795_000_000_123_456, -62_000_000_000_000_001] {
            assert_eq!(micros(timestamp(at)), at);
        }
        assert_eq!(timestamp(i64::MAX).year(), 9999);
        assert_eq!(timestamp(i64::MIN).year(), 1);
    }
}
