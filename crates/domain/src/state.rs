//! What a machine's state word means: a category for arithmetic beside the customer's own word.

use serde::{Deserialize, Serialize};

/// What a state counts as. Availability is running time over time that is neither planned stop nor unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateCategory {
    Running,
    Idle,
    SetUp,
    Down,
    Planned,
    Unknown,
}

impl StateCategory {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Idle => "idle",
            Self::SetUp => "set_up",
            Self::Down => "down",
            Self::Planned => "planned",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a category as the database keeps it.
    pub fn parse(word: &str) -> Self {
        match word {
            "running" => Self::Running,
            "idle" => Self::Idle,
            "set_up" => Self::SetUp,
            "down" => Self::Down,
            "planned" => Self::Planned,
            _ => Self::Unknown,
        }
    }

    /// First guess for a customer's word; people correct it in the mapping.
    pub fn guess(word: &str) -> Self {
        let w = word.trim().to_lowercase().replace(['-', '_', ' '], "");
        match w.as_str() {
            "running" | "run" | "production" | "producing" | "auto" | "active" | "on" | "execute" | "1" => {
                Self::Running
            }
            "idle" | "wait" | "waiting" | "standby" | "starved" | "blocked" | "ready" | "0" => Self::Idle,
            "setup" | "changeover" | "toolchange" | "adjust" | "warmup" => Self::SetUp,
            "down" | "stopped" | "stop" | "fault" | "error" | "alarm" | "breakdown" | "failure" | "off" | "2" => {
                Self::Down
            }
            "planned" | "maintenance" | "break" | "noshift" | "holiday" => Self::Planned,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StateCategory::{self, *};

    #[test]
    fn words_of_the_floor_are_understood() {
        for (word, is) in
            [("running", Running), ("Set-up", SetUp), ("DOWN", Down), ("stand by", Idle), ("zzz", Unknown)]
        {
            assert_eq!(StateCategory::guess(word), is, "{word}");
        }
        for category in [Running, Idle, SetUp, Down, Planned, Unknown] {
            assert_eq!(StateCategory::parse(category.as_str()), category);
        }
    }
}
