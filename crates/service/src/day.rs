//! Where a site's day begins.

use clarity_domain::time::{MINUTE, Micros, day_start};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A sample further ahead of our clock than this is from a wrong clock and says nothing of how fresh the data is.
pub(crate) const AHEAD: Micros = 10 * MINUTE;

/// The start of the day that `at` falls on in this zone (an IANA name; an unknown one reads as UTC). On a day whose
/// midnight the clocks skip it is the first moment there is.
pub(crate) fn start(at: Micros, zone: &str) -> Micros {
    let Ok(zone) = TimeZone::get(zone) else { return day_start(at) };
    let start = Timestamp::from_microsecond(at).ok().and_then(|at| at.to_zoned(zone).start_of_day().ok());
    start.map_or_else(|| day_start(at), |z| z.timestamp().as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Micros {
        text.parse::<Timestamp>().unwrap().as_microsecond()
    }

    #[test]
    fn a_day_is_the_sites_own() {
        assert_eq!(start(at("2026-11-23T01:00:00Z"), "America/Chicago"), at("2026-11-22T06:00:00Z"));
        assert_eq!(start(at("2026-11-23T23:30:00Z"), "Europe/Berlin"), at("2026-11-23T23:00:00Z"));
        // The clocks go from 00:00 to 01:00 in Beirut.
        assert_eq!(start(at("2026-03-29T12:00:00Z"), "Asia/Beirut"), at("2026-03-28T22:00:00Z"));
        assert_eq!(start(at("2026-11-23T23:30:00Z"), "Nowhere/Else"), at("2026-11-23T00:00:00Z"));
    }
}
