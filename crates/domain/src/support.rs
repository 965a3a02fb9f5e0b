//! The rules of support access: for how long, how a request stands, and when it lapses. The database holds the same bounds.
//! And what our own people do at their own doors.

use serde::{Deserialize, Serialize};

use crate::time::{DAY, Micros};
use crate::view::support::SupportState;

/// Minutes that may be asked for; the first is what a form offers.
pub const MINUTES: [u32; 4] = [30, 60, 120, 240];
/// A grant is never longer.
pub const MOST_MINUTES: u32 = 240;
/// So long a request waits for an owner.
pub const OPEN_FOR: Micros = DAY;
/// Characters of a reason.
pub const LONGEST_REASON: usize = 500;

/// Days that an entry of what our own people did is kept.
pub const EVENTS_KEPT_DAYS: u32 = 730;

/// What one of our own people did at their own doors, or tried to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpsAct {
    /// By an operator's command.
    Add,
    /// By an operator's command.
    Disable,
    Enrol,
    SignIn,
    SignOut,
}

impl OpsAct {
    pub const ALL: [Self; 5] = [Self::Add, Self::Disable, Self::Enrol, Self::SignIn, Self::SignOut];

    /// The database's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Disable => "disable",
            Self::Enrol => "enrol",
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
        }
    }

    /// As a person says it, without who.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Add => "Make an account",
            Self::Disable => "Disable an account",
            Self::Enrol => "Enrol",
            Self::SignIn => "Sign in",
            Self::SignOut => "Sign out",
        }
    }

    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.as_str() == word)
    }
}

/// What is known of a request.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    pub requested_at: Micros,
    /// approved, refused, lapsed.
    pub decision: Option<&'a str>,
    pub ends_at: Option<Micros>,
    pub ended_at: Option<Micros>,
}

/// How a request stands at `now`.
pub fn state(course: Course<'_>, now: Micros) -> SupportState {
    match course.decision {
        None if now.saturating_sub(course.requested_at) >= OPEN_FOR => SupportState::Lapsed,
        None => SupportState::Open,
        Some("approved") if course.ended_at.is_some() => SupportState::Ended,
        Some("approved") if course.ends_at.is_some_and(|end| end > now) => SupportState::Live,
        Some("approved") => SupportState::Over,
        Some("lapsed") => SupportState::Lapsed,
        Some(_) => SupportState::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::MINUTE;

    #[test]
    fn a_request_goes_one_way() {
        let asked = Course { requested_at: 0, decision: None, ends_at: None, ended_at: None };
        assert_eq!(state(asked, DAY - 1), SupportState::Open);
        assert_eq!(state(asked, DAY), SupportState::Lapsed);
        let approved = Course { decision: Some("approved"), ends_at: Some(30 * MINUTE), ..asked };
        assert_eq!(state(approved, 30 * MINUTE - 1), SupportState::Live);
        assert_eq!(state(approved, 30 * MINUTE), SupportState::Over, "at the end it is over");
        let ended = Course { ended_at: Some(MINUTE), ..approved };
        assert_eq!(state(ended, MINUTE), SupportState::Ended);
        assert_eq!(state(Course { decision: Some("refused"), ..asked }, 1), SupportState::Refused);
        assert_eq!(state(Course { decision: Some("lapsed"), ..asked }, 1), SupportState::Lapsed);
    }

    #[test]
    fn an_act_is_read_from_its_word() {
        assert!(OpsAct::ALL.into_iter().all(|act| OpsAct::read(act.as_str()) == Some(act)));
        assert_eq!(OpsAct::read("looked"), None);
    }

    #[test]
    fn what_a_form_offers_is_allowed() {
        assert!(MINUTES.iter().all(|minutes| (1..=MOST_MINUTES).contains(minutes)));
    }
}
