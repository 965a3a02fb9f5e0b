//! What an API token may be used for. A token has the scopes it was made with, and never gets another.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// One thing that a token may do. The word stands in the database, in the API's documents and in people's notes: a scope may
/// be added and never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Scope {
    #[serde(rename = "read:workspace")]
    ReadWorkspace,
    #[serde(rename = "read:assets")]
    ReadAssets,
    #[serde(rename = "read:sources")]
    ReadSources,
    #[serde(rename = "read:series")]
    ReadSeries,
}

impl Scope {
    pub const ALL: [Self; 4] = [Self::ReadWorkspace, Self::ReadAssets, Self::ReadSources, Self::ReadSeries];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadWorkspace => "read:workspace",
            Self::ReadAssets => "read:assets",
            Self::ReadSources => "read:sources",
            Self::ReadSeries => "read:series",
        }
    }

    /// What it opens, in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ReadWorkspace => "Name and time zone of the workspace",
            Self::ReadAssets => "Machines, their states and newest values",
            Self::ReadSources => "Sources and how they are",
            Self::ReadSeries => "Values over time",
        }
    }
}

/// A word that is no scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownScope;

impl FromStr for Scope {
    type Err = UnknownScope;
    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word).ok_or(UnknownScope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_is_read_back_and_has_words() {
        for scope in Scope::ALL {
            assert_eq!(scope.as_str().parse(), Ok(scope));
            assert_eq!(serde_json::to_value(scope).unwrap(), scope.as_str());
            assert!(!scope.words().is_empty());
        }
        assert_eq!("write:assets".parse::<Scope>(), Err(UnknownScope));
    }
}
