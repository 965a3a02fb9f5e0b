//! Setting a workspace up, and what it waits for until its first machine is there.

use serde::{Deserialize, Serialize};

use super::{Micros, sources::Problem};
use crate::{ids::SourceId, role::Role};

/// In their order; each can be skipped and come back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetUpStep {
    /// Region and time zone of the workspace.
    Place,
    /// The first site: machines that no site is known of are there.
    Site,
    Colleagues,
    /// The first source.
    Source,
}

impl SetUpStep {
    pub const ALL: [Self; 4] = [Self::Place, Self::Site, Self::Colleagues, Self::Source];

    /// As the database and the URL have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Site => "site",
            Self::Colleagues => "colleagues",
            Self::Source => "source",
        }
    }

    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == word)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    #[default]
    Open,
    Done,
    Skipped,
}

/// The page of the set-up, for those who may manage sources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetUp {
    /// The viewer's.
    pub role: Role,
    /// Of the workspace.
    pub name: String,
    pub region: String,
    pub time_zone: String,
    /// Of the first site.
    pub site: String,
    pub site_zone: String,
    /// Days of machines were cut by its clock already: its time zone stays.
    pub site_zone_fixed: bool,
    /// Every time zone that the server knows.
    pub zones: Vec<String>,
    /// In the order of [`SetUpStep::ALL`].
    pub states: [StepState; 4],
    /// Addresses of open invitations.
    pub invited: Vec<String>,
    /// The Overview names the set-up until it is over.
    pub reminds: bool,
}

impl SetUp {
    pub fn state(&self, step: SetUpStep) -> StepState {
        self.states[step as usize]
    }

    /// The first step that is open; `None` when all are over.
    pub fn next(&self) -> Option<SetUpStep> {
        SetUpStep::ALL.into_iter().find(|step| self.state(*step) == StepState::Open)
    }
}

/// Why there is no machine yet, from the farthest to the nearest. With several sources it is the one that is nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitingFor {
    /// No agent is paired.
    Agent,
    /// One is paired, and has never connected.
    Connection,
    /// It was here, and is not heard any more.
    AgentBack,
    /// It is connected, and no source is configured.
    Source,
    /// A source is configured, and cannot be read.
    Sight,
    /// It is read, and nothing has come of it.
    Rows,
    /// Events are stored, and have not been read into machines.
    Refine,
    /// Events were read, and name no machine.
    Machine,
    /// Events came, and could not be read.
    DeadLetters,
    /// The viewer sees some sites alone, and there is no machine at them.
    OwnSites,
}

impl WaitingFor {
    /// Something of the workspace's own has come: sample data is not shown beside it.
    pub fn has_events(self) -> bool {
        self >= Self::Machine
    }
}

/// What a workspace without a machine waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    pub cause: WaitingFor,
    /// The agent that it is about.
    pub agent: Option<String>,
    pub source: Option<(SourceId, String)>,
    /// Since when: the agent was last heard, events wait.
    pub since: Option<Micros>,
    pub dead_letters: u64,
    /// What has to be done at the source, in its own words.
    pub problems: Vec<Problem>,
    /// The viewer may do the set-up, and hide the sample data.
    #[serde(default)]
    pub may_set_up: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_read_back_and_stand_at_their_place() {
        for (at, step) in SetUpStep::ALL.into_iter().enumerate() {
            assert_eq!((SetUpStep::read(step.as_str()), step as usize), (Some(step), at));
        }
        assert_eq!(SetUpStep::read("sample"), None);
    }

    #[test]
    fn the_nearer_cause_is_the_greater_one() {
        assert!(WaitingFor::Agent < WaitingFor::Rows && WaitingFor::Rows < WaitingFor::Refine);
        assert!(WaitingFor::DeadLetters.has_events() && WaitingFor::Machine.has_events());
        assert!(!WaitingFor::Refine.has_events());
    }
}
