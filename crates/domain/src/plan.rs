//! Plans: how much of what a workspace may use, where it stands, and what happens at a limit. Set by the platform's operator.
//!
//! Nothing that was measured is ever refused for good: what comes too fast waits, what is too much for the month is held
//! back at the agent, and both are said. `docs/plans.md` is this file as a page; a test keeps the two alike.

mod bucket;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use bucket::RateBucket;

/// What can be limited. The word stands in the database and in the operator's commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Sustained; a burst of [`BURST_S`] may be faster.
    EventsPerSecond,
    /// Of a calendar month in UTC, as the next.
    EventsPerMonth,
    /// As received, compressed.
    BytesPerMonth,
    Assets,
    /// Members, and invitations that nobody has accepted yet.
    Seats,
    /// Of a day in UTC.
    ExportsPerDay,
}

/// How many seconds' worth of events may come at once.
pub const BURST_S: u64 = 30;

impl Limit {
    pub const ALL: [Self; 6] = [
        Self::EventsPerSecond,
        Self::EventsPerMonth,
        Self::BytesPerMonth,
        Self::Assets,
        Self::Seats,
        Self::ExportsPerDay,
    ];
    /// Those that ingest holds back for.
    pub const OF_THE_MONTH: [Self; 2] = [Self::EventsPerMonth, Self::BytesPerMonth];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventsPerSecond => "events_per_second",
            Self::EventsPerMonth => "events_per_month",
            Self::BytesPerMonth => "bytes_per_month",
            Self::Assets => "assets",
            Self::Seats => "seats",
            Self::ExportsPerDay => "exports_per_day",
        }
    }

    /// As a person calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EventsPerSecond => "Events a second",
            Self::EventsPerMonth => "Events this month",
            Self::BytesPerMonth => "Data received this month",
            Self::Assets => "Machines",
            Self::Seats => "Seats",
            Self::ExportsPerDay => "Exports today",
        }
    }

    /// What happens at the limit.
    pub const fn at_the_limit(self) -> &'static str {
        match self {
            Self::EventsPerSecond => {
                "What comes faster for longer than half a minute is slowed down: it waits in the agent's spool, in order, and nothing is lost."
            }
            Self::EventsPerMonth | Self::BytesPerMonth => {
                "Owners are told by letter at 80 %, at 100 % and at 120 %. Up to 120 % everything is taken; from there on data waits in the agents' spools until the month ends or the plan is changed."
            }
            Self::Assets => "New machines are shown all the same. Owners and admins are told.",
            Self::Seats => "Nobody more can be invited or join until a seat is free.",
            Self::ExportsPerDay => "Exports are refused until the next day begins, at midnight UTC.",
        }
    }
}

/// A word that names no limit or no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    word: String,
    known: Vec<&'static str>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is none of {}", self.word, self.known.join(", "))
    }
}

impl std::error::Error for Unknown {}

impl FromStr for Limit {
    type Err = Unknown;
    fn from_str(word: &str) -> Result<Self, Unknown> {
        let known = || Self::ALL.map(Self::as_str).to_vec();
        let found = Self::ALL.into_iter().find(|limit| limit.as_str() == word);
        found.ok_or_else(|| Unknown { word: word.into(), known: known() })
    }
}

/// A named set of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Plan {
    /// Of an installation that says nothing: whoever runs it for themselves limits nobody.
    #[default]
    Unlimited,
    Trial,
    Standard,
    Enterprise,
}

impl Plan {
    pub const ALL: [Self; 4] = [Self::Unlimited, Self::Trial, Self::Standard, Self::Enterprise];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unlimited => "unlimited",
            Self::Trial => "trial",
            Self::Standard => "standard",
            Self::Enterprise => "enterprise",
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Unlimited => "Unlimited",
            Self::Trial => "Trial",
            Self::Standard => "Standard",
            Self::Enterprise => "Enterprise",
        }
    }

    /// At most so much; `None` is without a limit.
    pub const fn at_most(self, limit: Limit) -> Option<u64> {
        match (self, limit) {
            (Self::Unlimited, _) => None,
            (Self::Trial, Limit::EventsPerSecond) => Some(1_000),
            (Self::Trial, Limit::EventsPerMonth) => Some(100_000_000),
            (Self::Trial, Limit::BytesPerMonth) => Some(10_000_000_000),
            (Self::Trial, Limit::Assets) => Some(50),
            (Self::Trial, Limit::Seats) => Some(5),
            (Self::Trial, Limit::ExportsPerDay) => Some(10),
            (Self::Standard, Limit::EventsPerSecond) => Some(5_000),
            (Self::Standard, Limit::EventsPerMonth) => Some(2_000_000_000),
            (Self::Standard, Limit::BytesPerMonth) => Some(200_000_000_000),
            (Self::Standard, Limit::Assets) => Some(500),
            (Self::Standard, Limit::Seats) => Some(50),
            (Self::Standard, Limit::ExportsPerDay) => Some(100),
            (Self::Enterprise, Limit::EventsPerSecond) => Some(20_000),
            (Self::Enterprise, Limit::EventsPerMonth) => Some(20_000_000_000),
            (Self::Enterprise, Limit::BytesPerMonth) => Some(2_000_000_000_000),
            (Self::Enterprise, Limit::Assets) => Some(10_000),
            (Self::Enterprise, Limit::Seats) => Some(1_000),
            (Self::Enterprise, Limit::ExportsPerDay) => Some(1_000),
        }
    }
}

impl FromStr for Plan {
    type Err = Unknown;
    fn from_str(word: &str) -> Result<Self, Unknown> {
        let known = || Self::ALL.map(Self::as_str).to_vec();
        let found = Self::ALL.into_iter().find(|plan| plan.as_str() == word);
        found.ok_or_else(|| Unknown { word: word.into(), known: known() })
    }
}

/// What differs from the plan in one workspace; `None` there is without a limit.
pub type Agreed = BTreeMap<Limit, Option<u64>>;

/// What holds for one workspace: its plan, and what was agreed beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub plan: Plan,
    #[serde(default)]
    pub agreed: Agreed,
}

impl From<Plan> for Terms {
    fn from(plan: Plan) -> Self {
        Self { plan, agreed: Agreed::new() }
    }
}

impl Terms {
    pub fn at_most(&self, limit: Limit) -> Option<u64> {
        self.agreed.get(&limit).copied().unwrap_or_else(|| self.plan.at_most(limit))
    }

    /// Where so much use of a limit stands.
    pub fn standing(&self, limit: Limit, used: u64) -> Standing {
        self.at_most(limit).map_or(Standing::Fine, |most| Standing::of(used, most))
    }
}

/// How near a limit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Fine,
    /// From 80 % on.
    Near,
    /// From 100 % on.
    Reached,
    /// From 120 % on: what of a month's limit comes now is held back.
    Over,
}

impl Standing {
    pub fn of(used: u64, most: u64) -> Self {
        let (used, most) = (u128::from(used) * 100, u128::from(most));
        if used >= most * 120 && most > 0 {
            Self::Over
        } else if used >= most * 100 {
            Self::Reached
        } else if used >= most * 80 {
            Self::Near
        } else {
            Self::Fine
        }
    }

    /// The share from which on it is so, in per cent; none while all is fine.
    pub const fn share(self) -> Option<i32> {
        match self {
            Self::Fine => None,
            Self::Near => Some(80),
            Self::Reached => Some(100),
            Self::Over => Some(120),
        }
    }

    pub fn from_share(share: i32) -> Option<Self> {
        [Self::Near, Self::Reached, Self::Over].into_iter().find(|standing| standing.share() == Some(share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/plans.md");

    fn page() -> String {
        let mut page = String::from(
            "# Plans and their limits\n\n\
             Made from `crates/domain/src/plan.rs` by its test: change it there, then run\n\
             `UPDATE_GOLDEN=1 cargo test -p clarity-domain plan`. A plan, and what differs from it in one workspace, is set by\n\
             `clarity-server set-plan --workspace SLUG --plan PLAN [--limit LIMIT=NUMBER|none]`.\n\n\
             | limit |",
        );
        for plan in Plan::ALL {
            write!(page, " {} |", plan.name()).unwrap();
        }
        page.push_str("\n|---|---:|---:|---:|---:|\n");
        for limit in Limit::ALL {
            write!(page, "| `{}` |", limit.as_str()).unwrap();
            for plan in Plan::ALL {
                let most = plan.at_most(limit).map_or_else(|| "–".to_owned(), |most| most.to_string());
                write!(page, " {most} |").unwrap();
            }
            page.push('\n');
        }
        page.push_str("\n## What happens at a limit\n\n");
        for limit in Limit::ALL {
            writeln!(page, "- **{}** (`{}`): {}", limit.name(), limit.as_str(), limit.at_the_limit()).unwrap();
        }
        page
    }

    #[test]
    fn the_page_of_plans_is_this_catalogue() {
        let made = page();
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(PAGE, &made).unwrap();
        }
        let kept = std::fs::read_to_string(PAGE).unwrap_or_default();
        assert!(
            kept == made,
            "docs/plans.md is not what plan.rs says: run `UPDATE_GOLDEN=1 cargo test -p clarity-domain plan`.\n{made}"
        );
    }

    #[test]
    fn a_larger_plan_has_no_smaller_limit() {
        for limit in Limit::ALL {
            let most = |plan: Plan| plan.at_most(limit).unwrap_or(u64::MAX);
            assert!(most(Plan::Trial) < most(Plan::Standard), "{limit:?}");
            assert!(most(Plan::Standard) < most(Plan::Enterprise), "{limit:?}");
            assert_eq!(Plan::Unlimited.at_most(limit), None);
            assert!(!limit.name().is_empty() && !limit.at_the_limit().is_empty());
        }
        assert_eq!(Plan::default(), Plan::Unlimited, "who said nothing is limited in nothing");
    }

    #[test]
    fn words_are_read_back() {
        for plan in Plan::ALL {
            assert_eq!(plan.as_str().parse(), Ok(plan));
        }
        for limit in Limit::ALL {
            assert_eq!(limit.as_str().parse(), Ok(limit));
            assert_eq!(serde_json::to_value(limit).unwrap(), limit.as_str());
        }
        let wrong = "gold".parse::<Plan>().unwrap_err().to_string();
        assert_eq!(wrong, "\"gold\" is none of unlimited, trial, standard, enterprise");
    }

    #[test]
    fn what_was_agreed_comes_before_the_plan() {
        let agreed = Agreed::from([(Limit::Seats, Some(7)), (Limit::Assets, None)]);
        let terms = Terms { plan: Plan::Trial, agreed };
        assert_eq!(terms.at_most(Limit::Seats), Some(7));
        assert_eq!(terms.at_most(Limit::Assets), None);
        assert_eq!(terms.at_most(Limit::ExportsPerDay), Plan::Trial.at_most(Limit::ExportsPerDay));
        let text = serde_json::to_string(&terms).unwrap();
        assert_eq!(text, r#"{"plan":"trial","agreed":{"assets":null,"seats":7}}"#);
        assert_eq!(serde_json::from_str::<Terms>(&text).unwrap(), terms);
    }

    #[test]
    fn notices_come_at_their_shares() {
        let of = |used| Standing::of(used, 1_000);
        assert_eq!(
            (of(0), of(799), of(800), of(999)),
            (Standing::Fine, Standing::Fine, Standing::Near, Standing::Near)
        );
        assert_eq!((of(1_000), of(1_199), of(1_200)), (Standing::Reached, Standing::Reached, Standing::Over));
        assert_eq!(Standing::of(u64::MAX, u64::MAX), Standing::Reached);
        // A limit of nothing is reached before the first, and never held back by a share of nothing.
        assert_eq!((Standing::of(0, 0), Standing::of(5, 0)), (Standing::Reached, Standing::Reached));
        for standing in [Standing::Near, Standing::Reached, Standing::Over] {
            assert_eq!(standing.share().and_then(Standing::from_share), Some(standing));
        }
        assert_eq!(Terms::default().standing(Limit::Seats, u64::MAX), Standing::Fine);
    }
}
