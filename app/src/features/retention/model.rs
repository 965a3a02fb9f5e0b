//! How retention is said. Plain Rust.

use clarity_domain::{
    retention::{DataClass, Keep, keep_key, keep_words},
    view::retention::{RetentionPreview, RetentionRun},
};

use crate::ui::number;

/// For a choice: the key and the words; what is set now is among them, whatever it is.
pub fn choices(class: DataClass, now: Keep) -> Vec<(String, String)> {
    let mut all = class.choices();
    if !all.contains(&now) {
        all.insert(0, now);
    }
    all.into_iter().map(|keep| (keep_key(keep), capital(keep_words(keep)))).collect()
}

/// "For ever".
pub fn capital(words: String) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// "12 rows, 1.1 MB".
pub fn amount(rows: u64, bytes: u64) -> String {
    let (size, unit) = number::bytes(bytes);
    format!("{} {}, {size} {unit}", number::whole(rows), if rows == 1 { "row" } else { "rows" })
}

/// What a run did.
pub fn run_words(run: RetentionRun) -> String {
    match run.removed {
        0 => "nothing was old enough".into(),
        rows => format!("{} removed", amount(rows, run.freed_bytes)),
    }
}

/// What confirming the preview does.
pub fn preview_words(preview: &RetentionPreview) -> String {
    let name = preview.class.name();
    match (preview.keep, preview.rows) {
        (None, _) => format!("{name} will be kept for ever: nothing will be removed."),
        (keep, 0) => format!("{name} will be kept for {}. Nothing is older than that now.", keep_words(keep)),
        (keep, rows) => {
            format!("{name} will be kept for {}. Older now: {}.", keep_words(keep), amount(rows, preview.bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_can_be_chosen() {
        let of = |now| choices(DataClass::Bronze, now).into_iter().map(|(_, words)| words).collect::<Vec<_>>();
        assert_eq!(of(Some(30)), ["7 days", "30 days", "90 days", "13 months", "3 years", "For ever"]);
        assert_eq!(of(Some(5))[0], "5 days");
        assert_eq!(choices(DataClass::Audit, None).last(), Some(&("forever".to_owned(), "For ever".to_owned())));
    }

    #[test]
    fn a_preview_says_what_goes() {
        let mut preview = RetentionPreview {
            class: DataClass::DeadLetters,
            keep: Some(7),
            shorter: true,
            cut_at: Some(0),
            rows: 1,
            bytes: 1_100_000,
            oldest_at: Some(0),
        };
        assert_eq!(preview_words(&preview), "Dead letters will be kept for 7 days. Older now: 1 row, 1.1 MB.");
        preview.rows = 0;
        assert_eq!(preview_words(&preview), "Dead letters will be kept for 7 days. Nothing is older than that now.");
        preview.keep = None;
        assert_eq!(preview_words(&preview), "Dead letters will be kept for ever: nothing will be removed.");
        let run = RetentionRun { at: 0, removed: 12, freed_bytes: 800 };
        assert_eq!(run_words(run), "12 rows, 800 B removed");
        assert_eq!(run_words(RetentionRun { removed: 0, ..run }), "nothing was old enough");
    }
}
