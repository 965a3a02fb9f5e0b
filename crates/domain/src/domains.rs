//! Domains that a workspace says are its own, and how it shows it: a text in DNS that only who runs the domain can put there.
//!
//! A domain stands in ASCII everywhere, also on pages: a name that only looks like another is told from it.

use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// Before the domain, where the text is looked for.
const LABEL: &str = "_clarity-challenge";
/// Before the token, in the text.
const KEY: &str = "clarity-stream=";
/// Of a domain; with the label before it the name still fits DNS.
const LONGEST: usize = 230;

/// Where everybody has an address: whoever shows a mailbox there is nobody's employee.
const PUBLIC_MAIL: [&str; 44] = [
    "126.com",
    "163.com",
    "aol.com",
    "btinternet.com",
    "comcast.net",
    "fastmail.com",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "icloud.com",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "pm.me",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "t-online.de",
    "web.de",
    "yahoo.co.jp",
    "yahoo.com",
    "yahoo.de",
    "yandex.ru",
    "zoho.com",
];

/// Endings under which nobody owns anything.
const RESERVED: [&str; 8] = ["alt", "arpa", "internal", "invalid", "local", "localhost", "onion", "test"];

/// What a check of a domain did not find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DomainProblem {
    /// No text at all.
    Nothing,
    /// Texts, and ours not among them.
    Other,
    /// The name servers answered with a failure.
    Failed,
    /// They did not answer in time.
    Slow,
}

impl DomainProblem {
    const ALL: [Self; 4] = [Self::Nothing, Self::Other, Self::Failed, Self::Slow];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Other => "other",
            Self::Failed => "failed",
            Self::Slow => "slow",
        }
    }

    /// From the database's word, whose check knows these four.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.as_str() == word)
    }

    /// Whether the text is known not to be there; else nothing is known.
    pub const fn is_absence(self) -> bool {
        matches!(self, Self::Nothing | Self::Other)
    }

    /// What happened and what to do.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Nothing => {
                "No text was found at this name. A new record can take an hour to be seen everywhere: check again later."
            }
            Self::Other => "A text was found at this name, and it is another one. Compare it with the value below.",
            Self::Failed => {
                "The name servers of the domain answered with a failure. Check again, and ask who runs them if it stays so."
            }
            Self::Slow => "The name servers of the domain did not answer in time. Check again in a minute.",
        }
    }
}

/// The name of the TXT record.
pub fn record_name(domain: &str) -> String {
    format!("{LABEL}.{domain}")
}

/// What stands in it.
pub fn record_value(token: &str) -> String {
    format!("{KEY}{token}")
}

/// Checks a domain that is in ASCII already: lower case, at least two labels of letters, digits and hyphens, an ending that
/// is no number and can be owned, and no provider of mail for everybody.
///
/// # Errors
/// `Invalid` at the field `domain`.
pub fn parse_domain(text: &str) -> Result<String, AppError> {
    let domain = text.trim().trim_end_matches('.').to_ascii_lowercase();
    let wrong = || AppError::invalid("domain", "Enter a domain such as company.com, without https:// and without @.");
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let (_, ending) = domain.rsplit_once('.').ok_or_else(wrong)?;
    let fine = domain.len() <= LONGEST
        && domain.split('.').all(label)
        && ending.len() >= 2
        && !ending.bytes().all(|b| b.is_ascii_digit());
    if !fine {
        return Err(wrong());
    }
    if RESERVED.contains(&ending) {
        return Err(AppError::invalid(
            "domain",
            format!("Nobody owns names that end in .{ending}. Enter a public domain."),
        ));
    }
    let of_provider =
        |provider: &&str| domain.strip_suffix(*provider).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if let Some(provider) = PUBLIC_MAIL.into_iter().find(of_provider) {
        return Err(AppError::invalid(
            "domain",
            format!("Everybody can have an address at {provider}. Enter a domain that belongs to your company."),
        ));
    }
    Ok(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_read() {
        for (text, domain) in [
            ("nordmark.com", "nordmark.com"),
            (" Nordmark.COM. ", "nordmark.com"),
            ("werk-2.nordmark.co.uk", "werk-2.nordmark.co.uk"),
            ("xn--bcher-kva.de", "xn--bcher-kva.de"),
            ("nordmark.example", "nordmark.example"),
            ("notgmail.com", "notgmail.com"),
            ("1und1.de", "1und1.de"),
        ] {
            assert_eq!(parse_domain(text).unwrap(), domain);
        }
    }

    #[test]
    fn what_is_no_domain_of_somebody_is_refused() {
        let long = format!("{}com", "a.".repeat(120));
        for wrong in [
            "",
            ".",
            "com",
            "nordmark",
            "nordmark..com",
            ".nordmark.com",
            "-a.com",
            "a-.com",
            "a_b.com",
            "a b.com",
            "maja@nordmark.com",
            "https://nordmark.com",
            "nordmark.com/",
            "nordmark.com:443",
            "*.nordmark.com",
            "bücher.de",
            "10.0.0.5",
            "127.1",
            "2130706433",
            "a.b",
            long.as_str(),
            &format!("{}.com", "a".repeat(64)),
            "a\r\n.com",
        ] {
            let error = parse_domain(wrong).unwrap_err();
            assert_eq!(error.field.as_deref(), Some("domain"), "{wrong}");
        }
        for ending in ["plant.local", "db.internal", "x.test", "a.localhost", "1.0.0.10.in-addr.arpa"] {
            assert!(parse_domain(ending).unwrap_err().message.starts_with("Nobody owns"), "{ending}");
        }
    }

    #[test]
    fn nobody_owns_everybodys_mail() {
        for public in PUBLIC_MAIL {
            for text in [public.to_owned(), format!("mail.{public}"), public.to_uppercase()] {
                let error = parse_domain(&text).unwrap_err();
                assert!(error.message.contains(public), "{text}: {}", error.message);
            }
        }
        assert!(PUBLIC_MAIL.is_sorted());
    }

    #[test]
    fn a_problem_is_read_back_and_says_what_to_do() {
        for problem in DomainProblem::ALL {
            assert_eq!(DomainProblem::read(problem.as_str()), Some(problem));
            assert_eq!(serde_json::to_value(problem).unwrap(), problem.as_str());
            assert!(problem.words().ends_with('.'));
        }
        assert_eq!(DomainProblem::read("sad"), None);
        assert_eq!(record_name("nordmark.com"), "_clarity-challenge.nordmark.com");
        assert_eq!(record_value("ab"), "clarity-stream=ab");
    }
}
