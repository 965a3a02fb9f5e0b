//! The site's own day: from midnight to midnight by its clock, 23 to 25 hours long where the clock is changed.

use clarity_domain::time::{DAY, Micros, day_start};
use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// A time zone by its name; UTC when nobody knows the name.
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// Start and end of the day that a moment falls on. A time that the calendar does not reach falls on its UTC day.
pub fn bounds(at: Micros, zone: &TimeZone) -> (Micros, Micros) {
    let utc = (day_start(at), day_start(at) + DAY);
    let found = || -> Result<(Micros, Micros), jiff::Error> {
        let start = Timestamp::from_microsecond(at)?.to_zoned(zone.clone()).start_of_day()?;
        let end = start.checked_add(1.day())?.start_of_day()?;
        Ok((start.timestamp().as_microsecond(), end.timestamp().as_microsecond()))
    };
    found().unwrap_or(utc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::time::{HOUR, MINUTE};

    fn at(text: &str) -> Micros {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    #[test]
    fn days_follow_the_site_s_clock() {
        for (name, moment, start, length) in [
            ("UTC", "2026-11-23T12:00:00Z", "2026-11-23T00:00:00Z", DAY),
            ("Europe/Vienna", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", 23 * HOUR),
            ("Europe/Vienna", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", 25 * HOUR),
            ("Asia/Kolkata", "2026-11-23T18:29:00Z", "2026-11-22T18:30:00Z", DAY),
            ("no/where", "2026-11-23T12:00:00Z", "2026-11-23T00:00:00Z", DAY),
        ] {
            let (from, to) = bounds(at(moment), &zone(name));
            assert_eq!((from, to - from), (at(start), length), "{name}");
            assert_eq!(bounds(from, &zone(name)).0, from);
            assert_eq!(bounds(to - MINUTE, &zone(name)).0, from);
        }
    }
}
