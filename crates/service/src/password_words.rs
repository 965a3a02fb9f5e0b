//! Words that a password may not be made of: ours, and those of the person's name, address and workspaces.
//!
//! They are what somebody who knows the person tries first. A password may have them in it: what counts is how much of it is
//! left without them. `docs/security/sign-in.md` says the same to people.

use std::cmp::Reverse;

/// The product's own.
const OURS: [&str; 2] = ["clarity", "stream"];
/// Shorter words stand in too many others.
const SHORTEST: usize = 4;
/// Characters that have to be left when the words are taken out.
const LEFT: usize = 8;

/// Whether little is left of `password` without our words and those of `names`.
pub(crate) fn is_made_of(password: &str, names: &[&str]) -> bool {
    let mut words: Vec<String> = names
        .iter()
        .copied()
        .chain(OURS)
        .flat_map(|name| name.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| word.chars().count() >= SHORTEST)
        .map(str::to_lowercase)
        .collect();
    // The longest first, so that a short one leaves no rest of a long one.
    words.sort_by_key(|word| Reverse(word.len()));
    let whole = password.to_lowercase();
    let mut rest = whole.clone();
    for word in &words {
        rest = rest.replace(word.as_str(), " ");
    }
    rest != whole && rest.chars().filter(|c| !c.is_whitespace()).count() < LEFT
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["Maja Lindqvist", "m.lindqvist@nordmark.example", "Nordmark Größengießerei"];

    #[test]
    fn names_with_a_number_are_no_password() {
        for wrong in [
            "Clarity-Stream-2026",
            "claritystream",
            "ClarityClarity1!",
            "nordmark2026!",
            "Maja.Lindqvist.1",
            "GRÖßENGIEßEREI",
            "maja@nordmark.example",
        ] {
            assert!(is_made_of(wrong, &NAMES), "{wrong}");
        }
    }

    #[test]
    fn a_phrase_with_a_name_in_it_is_fine() {
        for fine in ["four plain words here", "nordmark pours iron on mondays", "!!!!????....----", "1234 5678 9012"] {
            assert!(!is_made_of(fine, &NAMES), "{fine}");
        }
        assert!(!is_made_of("a to b to c to d", &["a b c d to"]), "short words count for nothing");
        assert!(!is_made_of("", &NAMES));
    }
}
