//! How single sign-on is said. Plain Rust.

use clarity_domain::{role::Role, view::sso::SsoFound};

use crate::ui::pill::Tone;

/// For a choice: roles that somebody may join with, the least first.
pub fn default_roles() -> Vec<(String, String)> {
    [(Role::Viewer, "Viewer"), (Role::Operator, "Operator"), (Role::Admin, "Admin")]
        .into_iter()
        .map(|(role, name)| (role.as_str().to_owned(), name.to_owned()))
        .collect()
}

/// On or off, for a choice.
pub fn states() -> Vec<(String, String)> {
    vec![("false".to_owned(), "Off".to_owned()), ("true".to_owned(), "On".to_owned())]
}

/// What the last test means, in one sentence.
pub fn verdict(found: &SsoFound) -> (Tone, String) {
    if let Some(failed) = &found.failed {
        return (Tone::Bad, failed.clone());
    }
    match (found.own, found.email_verified, found.domain_verified) {
        (false, ..) => (
            Tone::Warn,
            "It works, and named another address than your account's. Test with your own to require it.".to_owned(),
        ),
        (true, true, true) => (Tone::Ok, "It works. People of this domain can join.".to_owned()),
        (true, false, _) => (
            Tone::Warn,
            "It works for members. For others to join, the provider has to send the claim “email_verified”.".to_owned(),
        ),
        (true, true, false) => {
            (Tone::Warn, "It works for members. For others to join, verify the domain below.".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_says_what_is_missing() {
        let found = |own, email_verified, domain_verified, failed: Option<&str>| SsoFound {
            at: 0,
            issuer: "https://login.example.com".into(),
            subject: "7".into(),
            email: Some("maja@plant.example".into()),
            email_verified,
            domain_verified,
            own,
            failed: failed.map(Into::into),
        };
        assert_eq!(verdict(&found(true, true, true, None)).0, Tone::Ok);
        assert_eq!(verdict(&found(false, true, true, Some("Late."))), (Tone::Bad, "Late.".to_owned()));
        for (case, missing) in [
            (found(false, true, true, None), "another address"),
            (found(true, false, true, None), "email_verified"),
            (found(true, true, false, None), "verify the domain"),
        ] {
            let (tone, words) = verdict(&case);
            assert!(tone == Tone::Warn && words.contains(missing), "{words}");
        }
        assert!(default_roles().iter().all(|(role, _)| role != "owner"), "nobody joins as an owner");
    }
}
