//! The truth word: why a source shows no new value. Heartbeats travel the same ordered path as the data, so *quiet*
//! can be told from *broken*.

use crate::time::{Micros, SECOND};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// No source was ever connected, so there is nothing to be true of: the word of a workspace, never of a source.
    Unconnected,
    /// Changes arrive, and soon after they happened.
    Live,
    /// Nothing changed at the source, and the path to it works.
    Quiet,
    /// The path works, but what arrives is old.
    Delayed,
    /// We cannot know: agent, network or source does not answer.
    Blind,
}

/// What is known of a source. All times are our clock's, except where the name says source.
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    pub now: Micros,
    /// Whether the agent's connection is open at this moment, or when it was last heard.
    pub agent_seen_at: Option<Micros>,
    /// The agent says it cannot read the source (refused, slot lost, paused …).
    pub source_failed: bool,
    /// Newest time at the source of anything that arrived by the ordered path: heartbeat or change.
    pub path_source_at: Option<Micros>,
    /// Newest commit time of a change, without heartbeats.
    pub change_source_at: Option<Micros>,
    /// Our clock minus the source's, as the agent measured it.
    pub clock_skew: Micros,
}

/// An agent unheard for longer than this leaves us blind. Agents speak every 5 s.
pub const AGENT_SILENCE: Micros = 20 * SECOND;
/// Older than this on the ordered path is delayed. Heartbeats come every 5 s.
pub const PATH_DELAY: Micros = 15 * SECOND;
/// No change for longer than this is quiet.
pub const QUIET_AFTER: Micros = 60 * SECOND;

/// Says what is true and why, in the user's words.
pub fn judge(e: &Evidence) -> (Truth, String) {
    let Some(seen) = e.agent_seen_at else {
        return (Truth::Blind, "the agent has not connected yet".into());
    };
    if e.now - seen > AGENT_SILENCE {
        return (Truth::Blind, format!("agent last seen {} ago", duration(e.now - seen)));
    }
    if e.source_failed {
        return (Truth::Blind, "the agent cannot read the source; see its message".into());
    }
    let Some(path) = e.path_source_at.map(|at| at + e.clock_skew) else {
        return (Truth::Delayed, "waiting for the first event".into());
    };
    let behind = e.now - path;
    if behind > PATH_DELAY {
        return (Truth::Delayed, format!("{} behind the source", duration(behind)));
    }
    match e.change_source_at.map(|at| e.now - (at + e.clock_skew)) {
        Some(age) if age <= QUIET_AFTER => (Truth::Live, "changes arrive as they happen".into()),
        Some(age) => (Truth::Quiet, format!("no change for {}, and the agent is well", duration(age))),
        None => (Truth::Quiet, "no change yet, and the agent is well".into()),
    }
}

/// `41 s`, `18 min`, `6 h`, `3 days`: one unit, rounded down.
pub fn duration(micros: Micros) -> String {
    let s = micros.max(0) / SECOND;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min", s / 60),
        3600..172_800 => format!("{} h", s / 3600),
        _ => format!("{} days", s / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 1_000_000 * SECOND;

    fn well() -> Evidence {
        Evidence {
            now: NOW,
            agent_seen_at: Some(NOW - SECOND),
            path_source_at: Some(NOW - 2 * SECOND),
            change_source_at: Some(NOW - 2 * SECOND),
            ..Evidence::default()
        }
    }

    #[test]
    fn each_cause_has_its_word() {
        let ago = |s| Some(NOW - s * SECOND);
        for (evidence, is) in [
            (well(), Truth::Live),
            (Evidence { change_source_at: ago(600), ..well() }, Truth::Quiet),
            (Evidence { change_source_at: None, ..well() }, Truth::Quiet),
            (Evidence { path_source_at: ago(41), change_source_at: ago(41), ..well() }, Truth::Delayed),
            (Evidence { path_source_at: None, change_source_at: None, ..well() }, Truth::Delayed),
            (Evidence { agent_seen_at: ago(360), ..well() }, Truth::Blind),
            (Evidence { agent_seen_at: None, ..well() }, Truth::Blind),
            (Evidence { source_failed: true, ..well() }, Truth::Blind),
        ] {
            assert_eq!(judge(&evidence).0, is, "{evidence:?}");
        }
    }

    #[test]
    fn a_clock_two_hours_off_changes_nothing() {
        let skew = 7200 * SECOND;
        let e = Evidence {
            path_source_at: Some(NOW - 2 * SECOND - skew),
            change_source_at: Some(NOW - 2 * SECOND - skew),
            clock_skew: skew,
            ..well()
        };
        assert_eq!(judge(&e).0, Truth::Live);
    }
}
