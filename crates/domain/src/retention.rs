//! How long a workspace keeps what: the classes of data and their least times. Removal goes by whole UTC days.

use serde::{Deserialize, Serialize};

use crate::time::{DAY, Micros, day_start};

/// How many days; `None` is for ever.
pub type Keep = Option<u32>;

/// Of a workspace that has said nothing: nothing is lost that nobody asked to lose.
pub const DEFAULT_KEEP: Keep = None;

/// "13 months": a year and a bit, so that a month can be laid beside the one a year before.
pub const MONTHS_13: u32 = 400;
pub const YEARS_3: u32 = 1096;

/// What is kept, and removed, as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataClass {
    /// Events as agents sent them.
    Bronze,
    /// Chunks of raw samples.
    Samples,
    States,
    #[serde(rename = "rollup_1m")]
    Minutes,
    #[serde(rename = "rollup_1h")]
    Hours,
    #[serde(rename = "rollup_1d")]
    Days,
    /// What is left of rows that were deleted at the source; a row that is there is never removed.
    Records,
    DeadLetters,
    Audit,
}

impl DataClass {
    pub const ALL: [Self; 9] = [
        Self::Bronze,
        Self::Samples,
        Self::States,
        Self::Minutes,
        Self::Hours,
        Self::Days,
        Self::Records,
        Self::DeadLetters,
        Self::Audit,
    ];

    /// The database's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bronze => "bronze",
            Self::Samples => "samples",
            Self::States => "states",
            Self::Minutes => "rollup_1m",
            Self::Hours => "rollup_1h",
            Self::Days => "rollup_1d",
            Self::Records => "records",
            Self::DeadLetters => "dead_letters",
            Self::Audit => "audit",
        }
    }

    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == word)
    }

    /// As a person calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bronze => "Received events",
            Self::Samples => "Raw samples",
            Self::States => "Machine states",
            Self::Minutes => "Minute figures",
            Self::Hours => "Hour figures",
            Self::Days => "Day figures",
            Self::Records => "Deleted rows",
            Self::DeadLetters => "Dead letters",
            Self::Audit => "Audit log",
        }
    }

    /// What it is, and what is lost with it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Bronze => "What agents sent, byte for byte. Without it nothing can be rebuilt.",
            Self::Samples => "Every measured value. Older charts are drawn from the figures below.",
            Self::States => "When a machine ran, stood or was down. States that last are kept.",
            Self::Minutes => "Averages, extremes and counts of each minute.",
            Self::Hours => "Averages, extremes and counts of each hour.",
            Self::Days => "Averages, extremes and counts of each day.",
            Self::Records => {
                "What is left of rows that were deleted at their source. Rows that are there are always kept, whatever is chosen here."
            }
            Self::DeadLetters => "Events that could not be read. Without them they cannot be replayed.",
            Self::Audit => "Who did what. The rest stays provable as a chain.",
        }
    }

    /// No workspace keeps it for a shorter time.
    pub const fn least_days(self) -> u32 {
        match self {
            // The day that is written to, and the one before it.
            Self::Bronze => 2,
            // A snapshot that was read before the deletion may still come.
            Self::Records => 7,
            Self::Audit => 90,
            _ => 1,
        }
    }

    pub fn allows(self, keep: Keep) -> bool {
        keep.is_none_or(|days| (self.least_days()..=36_500).contains(&days))
    }

    /// What a page offers, shortest first.
    pub fn choices(self) -> Vec<Keep> {
        let all = [Some(7), Some(30), Some(90), Some(MONTHS_13), Some(YEARS_3), None];
        all.into_iter().filter(|keep| self.allows(*keep)).collect()
    }
}

/// Whether `new` lets go of what `old` keeps.
pub fn is_shorter(new: Keep, old: Keep) -> bool {
    match (new, old) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(new), Some(old)) => new < old,
    }
}

/// What lies before this instant goes: the beginning of a UTC day, so that whole days stay. Nothing for ever.
pub fn cut_at(keep: Keep, now: Micros) -> Option<Micros> {
    keep.map(|days| day_start(now - i64::from(days) * DAY))
}

/// "30 days", "13 months", "for ever".
pub fn keep_words(keep: Keep) -> String {
    match keep {
        None => "for ever".into(),
        Some(1) => "1 day".into(),
        Some(MONTHS_13) => "13 months".into(),
        Some(YEARS_3) => "3 years".into(),
        Some(days) => format!("{days} days"),
    }
}

/// As a form and a URL say it.
pub fn keep_key(keep: Keep) -> String {
    keep.map_or_else(|| "forever".into(), |days| days.to_string())
}

/// The other way; `None` for what is neither.
pub fn read_keep(key: &str) -> Option<Keep> {
    if key == "forever" { Some(None) } else { key.parse().ok().map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR;

    #[test]
    fn a_class_has_one_word_and_its_default_is_allowed_and_offered() {
        for class in DataClass::ALL {
            assert_eq!(DataClass::read(class.as_str()), Some(class));
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
            assert!(class.allows(DEFAULT_KEEP) && class.choices().contains(&DEFAULT_KEEP), "{class:?}");
            assert!(class.allows(None) && !class.allows(Some(0)) && !class.allows(Some(class.least_days() - 1)));
        }
        assert_eq!(DataClass::read("everything"), None);
        assert!(DataClass::Bronze.allows(Some(2)) && !DataClass::Bronze.allows(Some(1)));
        assert_eq!(DataClass::Audit.choices(), [Some(90), Some(MONTHS_13), Some(YEARS_3), None]);
    }

    #[test]
    fn the_cut_is_the_beginning_of_a_day() {
        let now = 400 * DAY + 13 * HOUR;
        assert_eq!(cut_at(Some(30), now), Some(370 * DAY));
        assert_eq!(cut_at(Some(30), 400 * DAY), Some(370 * DAY));
        assert_eq!(cut_at(Some(30), 400 * DAY - 1), Some(369 * DAY));
        assert_eq!(cut_at(None, now), None);
    }

    #[test]
    fn for_ever_is_longest() {
        assert!(is_shorter(Some(7), Some(30)) && is_shorter(Some(7), None));
        assert!(!is_shorter(None, Some(7)) && !is_shorter(None, None) && !is_shorter(Some(7), Some(7)));
    }

    #[test]
    fn a_time_is_read_as_it_is_written() {
        for keep in [None, Some(7), Some(MONTHS_13)] {
            assert_eq!(read_keep(&keep_key(keep)), Some(keep));
        }
        assert_eq!((read_keep(""), read_keep("-1"), read_keep("soon")), (None, None, None));
        assert_eq!(keep_words(Some(MONTHS_13)), "13 months");
        assert_eq!(
            (keep_words(Some(1)), keep_words(Some(30)), keep_words(None)),
            ("1 day".into(), "30 days".into(), "for ever".into())
        );
    }
}
