//! What the badge over a page says.

use clarity_domain::{truth::Truth, view::Freshness};

use crate::ui::pill::Tone;

/// The event stream of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    #[default]
    Opening,
    Open,
    /// Broken; being tried again.
    Lost,
    /// The server ended it: signed out, or the seat was taken away or is another one. The page is loaded anew.
    Ended,
    /// The server speaks a newer version than this page.
    Outdated,
}

/// Tone, word and reason. A broken stream outranks what the data said before it broke.
pub fn badge(freshness: &Freshness, link: Link) -> (Tone, &'static str, String) {
    match link {
        Link::Lost => {
            (Tone::Warn, "Reconnecting", "the connection to Clarity Stream is lost; what you see is from before".into())
        }
        Link::Ended => (Tone::Bad, "Signed out", "sign in again to see live data".into()),
        Link::Outdated => (Tone::Warn, "Reload the page", "Clarity Stream was updated".into()),
        Link::Opening | Link::Open => (tone(freshness.truth), word(freshness.truth), freshness.why.clone()),
    }
}

pub const fn tone(truth: Truth) -> Tone {
    match truth {
        Truth::Live => Tone::Ok,
        Truth::Quiet | Truth::Unconnected => Tone::Idle,
        Truth::Delayed => Tone::Warn,
        Truth::Blind => Tone::Bad,
    }
}

pub const fn word(truth: Truth) -> &'static str {
    match truth {
        Truth::Unconnected => "Not connected yet",
        Truth::Live => "Live",
        Truth::Quiet => "Quiet",
        Truth::Delayed => "Delayed",
        Truth::Blind => "Blind",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_the_first_source_nothing_is_wrong() {
        let (tone, word, why) = badge(&Freshness::unconnected(), Link::Open);
        assert_eq!((tone, word), (Tone::Idle, "Not connected yet"));
        assert!(why.ends_with("connect one to begin"));
    }

    #[test]
    fn a_lost_stream_never_reads_as_live() {
        let freshness = Freshness { truth: Truth::Live, why: "well".into(), data_at: None, behind_ms: None };
        assert_eq!(badge(&freshness, Link::Open).1, "Live");
        assert_eq!(badge(&freshness, Link::Opening).1, "Live");
        for link in [Link::Lost, Link::Ended, Link::Outdated] {
            let (tone, word, _) = badge(&freshness, link);
            assert!(tone != Tone::Ok && word != "Live", "{link:?}");
        }
    }
}
