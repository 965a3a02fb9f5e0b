//! Words for a rewrite. Plain Rust.

use clarity_domain::view::rewrite::{RewriteRow, Rewriting};

use crate::ui::{number, progress::Done};

/// Why the button cannot be pressed.
pub fn why_not(of: &Rewriting) -> Option<&'static str> {
    if of.last.as_ref().is_some_and(is_running) {
        return None;
    }
    if of.policies == 0 {
        return Some("No field is masked at the agent, so there is nothing to apply to what is kept.");
    }
    of.held.then_some("A legal hold is open: nothing that is kept may be changed until an owner lifts it.")
}

pub fn is_running(row: &RewriteRow) -> bool {
    row.finished_at.is_none()
}

/// Batches of events first; after them only the read models are left.
pub fn done(row: &RewriteRow) -> Done {
    Done { done: row.segments_done, total: row.segments_total, left_s: None }
}

/// What a rewrite that runs does now.
pub fn doing(row: &RewriteRow) -> String {
    match row.segments_total {
        None => "Waiting for a worker.".into(),
        Some(total) if row.segments_done < total => format!("{} so far.", values(row.values)),
        Some(_) => format!(
            "{}. Making anew what the pages show: {} of {} done.",
            values(row.values),
            row.sources_done,
            sources(row.sources)
        ),
    }
}

/// What a rewrite that has ended did.
pub fn summary(row: &RewriteRow) -> String {
    let letters = match row.letters {
        0 => String::new(),
        1 => ", in 1 dead letter too".into(),
        n => format!(", in {} dead letters too", number::whole(n)),
    };
    format!("{}{letters}.", values(row.values))
}

fn values(n: u64) -> String {
    if n == 1 { "1 value was masked".into() } else { format!("{} values were masked", number::whole(n)) }
}

fn sources(n: u64) -> String {
    if n == 1 { "1 source".into() } else { format!("{n} sources") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> RewriteRow {
        RewriteRow {
            started_at: 0,
            segments_done: 2,
            segments_total: Some(5),
            values: 1,
            letters: 0,
            sources_done: 0,
            sources: 1,
            finished_at: None,
            stopped: None,
        }
    }

    #[test]
    fn a_rewrite_says_where_it_is() {
        assert_eq!(doing(&RewriteRow { segments_total: None, ..row() }), "Waiting for a worker.");
        assert_eq!(doing(&row()), "1 value was masked so far.");
        let models = RewriteRow { segments_done: 5, values: 7, ..row() };
        assert_eq!(doing(&models), "7 values were masked. Making anew what the pages show: 0 of 1 source done.");
        assert_eq!(summary(&RewriteRow { letters: 2, ..models }), "7 values were masked, in 2 dead letters too.");
    }

    #[test]
    fn the_button_says_why_it_cannot_be_pressed() {
        let of = |policies, held| Rewriting { as_of: 0, policies, held, last: None };
        assert!(why_not(&of(0, false)).is_some_and(|why| why.contains("nothing to apply")));
        assert!(why_not(&of(1, true)).is_some_and(|why| why.contains("legal hold")));
        assert_eq!(why_not(&of(1, false)), None);
    }
}
