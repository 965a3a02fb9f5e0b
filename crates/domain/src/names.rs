//! Names that people type: slugs and e-mail addresses, and their rules.

use crate::error::AppError;

/// Words a workspace's path may not be, since they would read as ours.
const RESERVED: [&str; 12] =
    ["admin", "api", "app", "assets", "clarity", "dev", "help", "ops", "security", "sign-in", "sign-up", "status"];

/// Makes a slug of a name: lower case ASCII, digits and single hyphens, 3 to 40 characters. Non-Latin names become
/// `workspace`; the caller adds a suffix when it is taken.
pub fn slug_from_name(name: &str) -> String {
    let mut slug = String::with_capacity(name.len());
    for c in name.chars() {
        let c = fold(c);
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(40);
    let slug = slug.trim_end_matches('-').to_owned();
    if slug.len() < 3 || RESERVED.contains(&slug.as_str()) {
        format!("workspace-{slug}").trim_end_matches('-').into()
    } else {
        slug
    }
}

/// As long as one that was made of a name, with a suffix.
const LONGEST_SLUG: usize = 45;

/// Checks a slug that somebody typed: the same kind as [`slug_from_name`] makes. Large letters become small; nothing else is
/// guessed, so that no address looks like another one.
pub fn parse_slug(field: &str, text: &str) -> Result<String, AppError> {
    let slug = text.trim().to_ascii_lowercase();
    if !slug.is_ascii() {
        return Err(AppError::invalid(
            field,
            "Use the letters a to z, digits and hyphens alone: letters of other alphabets, and letters with accents, can look like \
             them, and cannot stand in an address.",
        ));
    }
    let fine = (3..=LONGEST_SLUG).contains(&slug.len())
        && slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !slug.starts_with('-')
        && !slug.ends_with('-')
        && !slug.contains("--");
    if !fine {
        return Err(AppError::invalid(
            field,
            "Use 3 to 45 letters a to z, digits and single hyphens, with a letter or digit at both ends.",
        ));
    }
    if RESERVED.contains(&slug.as_str()) {
        return Err(AppError::invalid(field, "This address cannot be had. Choose another one."));
    }
    Ok(slug)
}

fn fold(c: char) -> char {
    match c {
        'ä' | 'á' | 'à' | 'â' | 'å' | 'ã' | 'Ä' | 'Á' | 'À' | 'Å' => 'a',
        'é' | 'è' | 'ê' | 'ë' | 'É' | 'È' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ö' | 'ó' | 'ò' | 'ô' | 'ø' | 'õ' | 'Ö' | 'Ø' | 'Ó' => 'o',
        'ü' | 'ú' | 'ù' | 'û' | 'Ü' | 'Ú' => 'u',
        'ñ' | 'Ñ' => 'n',
        'ç' | 'Ç' => 'c',
        'ß' => 's',
        c => c,
    }
}

/// Checks and normalises an e-mail address: trimmed, lower case, one `@`, a dotted domain, no spaces or control
/// characters, at most 254 characters. Whether it exists only a message to it can tell.
pub fn parse_email(text: &str) -> Result<String, AppError> {
    let email = text.trim().to_lowercase();
    let wrong = || AppError::invalid("email", "Enter an e-mail address such as name@company.com.");
    let (local, domain) = email.split_once('@').ok_or_else(wrong)?;
    let fine = !local.is_empty()
        && local.len() <= 64
        && email.len() <= 254
        && !domain.contains('@')
        && domain.contains('.')
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with(['.', '-'])
        && !email.chars().any(|c| c.is_whitespace() || c.is_control() || "<>(),;:\\\"[]".contains(c));
    if fine { Ok(email) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain() {
        assert_eq!(slug_from_name("Nordmark Foundries"), "nordmark-foundries");
        assert_eq!(slug_from_name("  Größe & Söhne, GmbH "), "grose-sohne-gmbh");
        assert_eq!(slug_from_name("日本"), "workspace");
        assert_eq!(slug_from_name("api"), "workspace-api");
        assert!(slug_from_name(&"x".repeat(99)).len() <= 40);
    }

    #[test]
    fn a_name_that_only_looks_like_another_has_another_slug() {
        // Cyrillic, Greek and full-width letters, a joiner that nobody sees, text that turns round, an accent of its own.
        for like in [
            "n\u{43e}rdmark",
            "nordm\u{430}rk",
            "n\u{3bf}rdmark",
            "\u{ff4e}ordmark",
            "nord\u{200d}mark",
            "\u{202e}kramdron",
            "no\u{301}rdmark",
        ] {
            let slug = slug_from_name(like);
            assert!(
                slug != "nordmark" && slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                "{like:?}: {slug}"
            );
        }
        assert_eq!(slug_from_name("n\u{43e}rdmark"), "n-rdmark");
        // Not even a word of ours can be put together of look-alikes.
        assert_eq!(slug_from_name("\u{430}\u{440}\u{456}"), "workspace");
    }

    #[test]
    fn a_typed_slug_is_plain_or_refused_in_words() {
        for fine in ["nordmark", " Nordmark-2 ", "a1b", "workspace-api", &"x".repeat(45)] {
            assert_eq!(parse_slug("address", fine).unwrap(), fine.trim().to_lowercase());
        }
        let made = slug_from_name("Größe & Söhne, GmbH");
        assert_eq!(parse_slug("address", &made).unwrap(), made, "what is made of a name can be typed");
        for wrong in
            ["", "ab", "-abc", "abc-", "a--b", "xn--80ak6aa", "a b", "a/b", "a.b", "a_b", "api", "OPS", &"x".repeat(46)]
        {
            assert_eq!(parse_slug("address", wrong).unwrap_err().field.as_deref(), Some("address"), "{wrong:?}");
        }
        // Cyrillic letters that look Latin, an accent, a full-width letter, a mark that is not seen.
        for other in ["n\u{43e}rdmark", "\u{430}cme", "größe", "\u{ff41}cme", "ac\u{200d}me", "\u{212a}elvin"] {
            assert!(parse_slug("address", other).unwrap_err().message.contains("other alphabets"), "{other:?}");
        }
    }

    #[test]
    fn emails_are_checked() {
        assert_eq!(parse_email(" Maja@Nordmark.Example ").unwrap(), "maja@nordmark.example");
        for wrong in ["", "a", "a@b", "a@@b.c", "a b@c.d", "a@b.c\r\nBcc: x@y.z", "@b.c", "a@.c", "a@c."] {
            assert!(parse_email(wrong).is_err(), "{wrong:?}");
        }
    }
}
