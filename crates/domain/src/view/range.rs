//! The time range of a page, as it stands in the URL: `?range=1h`, or `?from=…&to=…` after a zoom.
//!
//! One text form serves URL, server function and cache key: `1h`, or `<from>..<to>` in microseconds.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::time::{DAY, MINUTE, Micros};

/// The longest span a page may ask for: 400 days.
const LONGEST: i64 = 400 * DAY;

/// A range that ends now, or a fixed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TimeRange {
    /// The last so many minutes, moving with the clock.
    Last { minutes: u32 },
    /// Half-open `[from, to)`.
    Between { from: Micros, to: Micros },
}

impl TimeRange {
    /// What the range menu offers.
    pub const PRESETS: [(&'static str, &'static str); 6] = [
        ("15m", "Last 15 minutes"),
        ("1h", "Last hour"),
        ("6h", "Last 6 hours"),
        ("12h", "Last 12 hours"),
        ("24h", "Last 24 hours"),
        ("7d", "Last 7 days"),
    ];

    /// From the URL's query. What cannot be read is as good as nothing: a stale link still opens.
    pub fn from_query(range: Option<&str>, from: Option<&str>, to: Option<&str>) -> Option<Self> {
        let fixed = from.and_then(|t| t.parse().ok()).zip(to.and_then(|t| t.parse().ok()));
        fixed.and_then(|(from, to)| Self::between(from, to)).or_else(|| range.and_then(|text| text.parse().ok()))
    }

    /// The last so much, in whole minutes.
    pub fn last(span: Micros) -> Self {
        Self::Last { minutes: u32::try_from(span / MINUTE).unwrap_or(60).max(1) }
    }

    /// What to show of a workspace that began so long ago, when nobody asked for a range: all of it, up to an hour.
    pub fn for_age(age: Micros) -> Self {
        let minutes = [5, 10, 15, 30].into_iter().find(|minutes| age <= i64::from(*minutes) * MINUTE);
        minutes.map_or_else(Self::default, |minutes| Self::Last { minutes })
    }

    /// A fixed range; `None` when it is empty, runs backwards or is longer than 400 days.
    pub fn between(from: Micros, to: Micros) -> Option<Self> {
        let span = to.checked_sub(from)?;
        (from >= 0 && span > 0 && span <= LONGEST).then_some(Self::Between { from, to })
    }

    /// Half-open bounds when it is `now`.
    pub fn bounds(self, now: Micros) -> (Micros, Micros) {
        match self {
            Self::Last { minutes } => (now - i64::from(minutes) * MINUTE, now),
            Self::Between { from, to } => (from, to),
        }
    }

    /// Does it move with the clock, so that live points belong to it?
    pub fn is_moving(self) -> bool {
        matches!(self, Self::Last { .. })
    }

    /// The query string of this range: `range=1h` or `from=…&to=…`.
    pub fn to_query(self) -> String {
        match self {
            Self::Last { .. } => format!("range={self}"),
            Self::Between { from, to } => format!("from={from}&to={to}"),
        }
    }
}

impl Default for TimeRange {
    fn default() -> Self {
        Self::Last { minutes: 60 }
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Last { minutes } if minutes > 1440 && minutes % 1440 == 0 => write!(out, "{}d", minutes / 1440),
            Self::Last { minutes } if minutes % 60 == 0 => write!(out, "{}h", minutes / 60),
            Self::Last { minutes } => write!(out, "{minutes}m"),
            Self::Between { from, to } => write!(out, "{from}..{to}"),
        }
    }
}

/// A text that is not a time range.
#[derive(Debug, thiserror::Error)]
#[error("a time range is written like 15m, 6h, 7d or <from>..<to> in microseconds")]
pub struct InvalidTimeRange;

impl FromStr for TimeRange {
    type Err = InvalidTimeRange;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((from, to)) = text.split_once("..") {
            let bounds = from.parse().ok().zip(to.parse().ok());
            return bounds.and_then(|(from, to)| Self::between(from, to)).ok_or(InvalidTimeRange);
        }
        let unit = text.chars().last().ok_or(InvalidTimeRange)?;
        let minutes = match unit {
            'm' => 1,
            'h' => 60,
            'd' => 1440,
            _ => return Err(InvalidTimeRange),
        };
        let count: u32 = text[..text.len() - 1].parse().map_err(|_| InvalidTimeRange)?;
        let minutes = count.checked_mul(minutes).filter(|m| (1..=400 * 1440).contains(m)).ok_or(InvalidTimeRange)?;
        Ok(Self::Last { minutes })
    }
}

impl TryFrom<String> for TimeRange {
    type Error = InvalidTimeRange;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TimeRange> for String {
    fn from(range: TimeRange) -> Self {
        range.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips() {
        for text in ["15m", "1h", "12h", "24h", "7d", "1700000000000000..1700000360000000"] {
            let range: TimeRange = text.parse().unwrap();
            assert_eq!(range.to_string(), text);
        }
    }

    #[test]
    fn nonsense_is_refused_and_a_stale_link_opens_on_the_default() {
        for text in ["", "h", "0m", "-1h", "9999999d", "2..1", "5..5", "1..9223372036854775807", "é", "1é"] {
            assert!(text.parse::<TimeRange>().is_err(), "{text}");
        }
        assert_eq!(TimeRange::from_query(Some("x"), Some("2"), Some("1")), None);
    }

    #[test]
    fn a_young_workspace_fills_its_page() {
        for (age_minutes, minutes) in [(-1, 5), (0, 5), (5, 5), (6, 10), (12, 15), (30, 30), (31, 60), (90_000, 60)] {
            assert_eq!(TimeRange::for_age(age_minutes * MINUTE), TimeRange::Last { minutes }, "{age_minutes} min");
        }
    }

    #[test]
    fn a_zoom_wins_over_the_preset() {
        let range = TimeRange::from_query(Some("1h"), Some("1000"), Some("2000"));
        assert_eq!(range, Some(TimeRange::Between { from: 1000, to: 2000 }));
        assert_eq!(range.map(|range| range.bounds(9)), Some((1000, 2000)));
        assert_eq!(TimeRange::Last { minutes: 1 }.bounds(MINUTE), (0, MINUTE));
    }
}
