//! How support access is said. Plain Rust.

use clarity_domain::view::support::{SupportLook, SupportState};

use crate::ui::{number, pill::Tone};

/// A request in a word.
pub fn state_words(state: SupportState) -> &'static str {
    match state {
        SupportState::Open => "Waiting",
        SupportState::Live => "Has access",
        SupportState::Refused => "Refused",
        SupportState::Lapsed => "Lapsed",
        SupportState::Over => "Over",
        SupportState::Ended => "Ended early",
    }
}

pub fn state_tone(state: SupportState) -> Tone {
    match state {
        SupportState::Open | SupportState::Live => Tone::Warn,
        SupportState::Refused | SupportState::Lapsed | SupportState::Over | SupportState::Ended => Tone::Idle,
    }
}

/// "agents, sources, dead letters: 3 times"; nothing when nothing was read.
pub fn look_words(looks: &[SupportLook]) -> String {
    let one = |look: &SupportLook| match look.times {
        1 => format!("{}: once", look.what),
        times => format!("{}: {} times", look.what, number::whole(times.into())),
    };
    if looks.is_empty() { "Nothing".to_owned() } else { looks.iter().map(one).collect::<Vec<_>>().join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_said_with_how_often() {
        let look = |times| SupportLook { what: "sources".into(), times, last_at: 0 };
        assert_eq!(look_words(&[]), "Nothing");
        assert_eq!(look_words(&[look(1), look(12)]), "sources: once; sources: 12 times");
    }
}
