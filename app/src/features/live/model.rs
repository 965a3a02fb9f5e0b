//! What the badge over a page says, which stream the frame around it follows, and what comes of a stream that was refused.

#[cfg(any(feature = "hydrate", test))]
use std::time::Duration;

#[cfg(any(feature = "hydrate", test))]
use clarity_domain::error::ErrorCode;
use clarity_domain::{truth::Truth, view::Freshness};

use crate::{paths, ui::pill::Tone};

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

/// The stream that the frame of a workspace follows around the page at `path`: none where the page follows one of its own, on the
/// way out of the workspace, and where the frame could not be read, since there is nobody to tell.
pub fn of_frame(slug: &str, path: &str, is_read: bool) -> Option<String> {
    let is_in = paths::slug_of(path) == Some(slug);
    (is_read && is_in && !paths::is_live(path)).then(|| paths::live_frame(slug))
}

/// Whether a stream was refused for who asks: it is not asked for again. Everything else passes.
#[cfg(any(feature = "hydrate", test))]
pub const fn is_shut_out(why: ErrorCode) -> bool {
    matches!(
        why,
        ErrorCode::Unauthenticated
            | ErrorCode::Forbidden
            | ErrorCode::SecondFactorNeeded
            | ErrorCode::SsoNeeded
            | ErrorCode::NotFound
    )
}

/// How long to wait before a stream is asked for again that was refused `times` times before in a row: longer each time, at most
/// half a minute. `random`, from 0 to 1, keeps pages apart that were refused together.
#[cfg(any(feature = "hydrate", test))]
pub fn pause(times: u32, random: f64) -> Duration {
    const FIRST: Duration = Duration::from_secs(3);
    const LONGEST: Duration = Duration::from_secs(30);
    let whole = (FIRST * (1_u32 << times.min(4))).min(LONGEST);
    whole.mul_f64(0.5 + random / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frame_follows_where_the_page_does_not() {
        let frame = Some("/w/a/live?page=frame".to_owned());
        assert_eq!(of_frame("a", "/w/a/members", true), frame);
        assert_eq!(of_frame("a", "/w/a/audit", true), frame, "the same on the next page: it stays open");
        assert_eq!(of_frame("a", "/w/a/sources/connect", true), frame);
        assert_eq!(of_frame("b", "/w/b/members", true).as_deref(), Some("/w/b/live?page=frame"));
        for live in ["/w/a", "/w/a/sources", "/w/a/sources/9"] {
            assert_eq!(of_frame("a", live, true), None, "{live}");
        }
        assert_eq!(of_frame("a", "/w/a/members", false), None);
        assert_eq!(
            (of_frame("a", "/sign-in", true), of_frame("a", "/w/b/members", true)),
            (None, None),
            "on the way out"
        );
    }

    #[test]
    fn a_refused_stream_is_asked_for_ever_more_rarely() {
        let seconds = |times, random| pause(times, random).as_secs_f64();
        assert_eq!(
            [0, 1, 2, 3, 4, 5, u32::MAX].map(|times| seconds(times, 1.0)),
            [3.0, 6.0, 12.0, 24.0, 30.0, 30.0, 30.0]
        );
        assert_eq!((seconds(0, 0.0), seconds(9, 0.0), seconds(9, 0.5)), (1.5, 15.0, 22.5));
    }

    #[test]
    fn whoever_is_shut_out_does_not_ask_again() {
        for out in
            [ErrorCode::Unauthenticated, ErrorCode::SecondFactorNeeded, ErrorCode::SsoNeeded, ErrorCode::NotFound]
        {
            assert!(is_shut_out(out), "{out:?}");
        }
        for passing in [ErrorCode::RateLimited, ErrorCode::Unavailable, ErrorCode::Internal] {
            assert!(!is_shut_out(passing), "{passing:?}");
        }
    }

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
