//! What each letter says, once for both of its versions.
//!
//! Names that people chose are shortened, and no address that somebody hid in one becomes a link: whoever asks for a
//! letter to a stranger must not be able to say more in it than a name.

use clarity_domain::plan::{Limit, Standing};

use super::Letter;

/// A letter in words, before it is plain text or HTML.
pub(super) struct Words {
    /// One line without control characters.
    pub subject: String,
    pub parts: Vec<Part>,
}

pub(super) enum Part {
    Text(String),
    /// Something to do, at an address of ours.
    Act {
        label: &'static str,
        link: String,
    },
}

/// Characters of a name that a letter shows.
const NAME: usize = 60;
/// Of an e-mail address: all that one may have.
const ADDRESS: usize = 254;
/// And of a reason.
const REASON: usize = 300;

pub(super) fn of(letter: &Letter<'_>) -> Words {
    match *letter {
        Letter::ConfirmSignUp { link } => words(
            "Create your workspace at Clarity Stream".into(),
            [
                text("Somebody asked for a workspace with this e-mail. If it was you, go on here:"),
                act("Create your workspace", link),
                text("The link works once, within 24 hours."),
                text("If you did not ask for it, do nothing: nothing is made without the link."),
            ],
        ),
        Letter::AccountExists { sign_in, reset } => words(
            "You already have an account at Clarity Stream".into(),
            [
                text("Somebody tried to sign up with this e-mail, which has an account already. Nothing was changed."),
                act("Sign in", sign_in),
                act("Choose a new password, if you forgot yours", reset),
                text("If this was not you, do nothing."),
            ],
        ),
        Letter::ResetPassword { link } => words(
            "Choose a new password for Clarity Stream".into(),
            [
                text("A new password was asked for, for the account with this e-mail."),
                act("Choose a new password", link),
                text("The link works once, within 30 minutes. With the new password you are signed out everywhere."),
                text("If you did not ask for it, do nothing: your password stays as it is."),
            ],
        ),
        Letter::PasswordChanged { reset } => words(
            "Your password for Clarity Stream was changed".into(),
            [
                text("The password of your account was changed, and all its sessions were ended."),
                text("If this was not you, choose a new one at once:"),
                act("Choose a new password", reset),
            ],
        ),
        Letter::Invitation { workspace, inviter, role, link, again } => {
            let (workspace, inviter, role) = (name(workspace), name(inviter), role.as_str());
            let article = if role.starts_with(['a', 'o']) { "an" } else { "a" };
            words(
                format!("Invitation to “{workspace}” at Clarity Stream"),
                [
                    text(format!("{inviter} invites you to the workspace “{workspace}” as {article} {role}.")),
                    act("Accept the invitation", link),
                    text(if again {
                        "The link works once, within 72 hours from this letter, for this e-mail only. The link of the letter before works no more."
                    } else {
                        "The link works once, within 72 hours, for this e-mail only."
                    }),
                    text("If you do not know who invites you, do nothing."),
                ],
            )
        }
        Letter::OwnershipOffer { workspace, by, link } => {
            let (workspace, by) = (name(workspace), name(by));
            words(
                format!("You are offered to own “{workspace}” at Clarity Stream"),
                [
                    text(format!("{by} offers you to become an owner of the workspace “{workspace}”.")),
                    act("Open the members page to accept", link),
                    text("Until you accept, nothing changes."),
                ],
            )
        }
        Letter::SecondFactorAdded { reset } => words(
            "A second factor was added to your account at Clarity Stream".into(),
            [
                text(
                    "From now on you are asked for a code of your app when you sign in. All your other sessions were ended.",
                ),
                text("Keep the recovery codes where you find them without your phone."),
                text("If this was not you, choose a new password at once and write to an owner of your workspace:"),
                act("Choose a new password", reset),
            ],
        ),
        Letter::SecondFactorRemoved { reset } => words(
            "The second factor of your account at Clarity Stream was removed".into(),
            [
                text(
                    "From now on no code of your app is asked for. Unless you have a passkey, your password alone signs you in, and your recovery codes are of no use any more.",
                ),
                text("If this was not you, choose a new password at once, and add a second factor again:"),
                act("Choose a new password", reset),
            ],
        ),
        Letter::SecondFactorReset { reset } => words(
            "Your second factor at Clarity Stream was reset".into(),
            [
                text(
                    "It was asked for in your name, because your app, your passkeys and your recovery codes are lost. All of them were removed, and all your sessions were ended.",
                ),
                text("Sign in with your password, and add a second factor again."),
                text(
                    "If you did not ask for it, choose a new password at once, and write to an owner of your workspace:",
                ),
                act("Choose a new password", reset),
            ],
        ),
        Letter::PasskeyAdded { name: called, reset } => words(
            "A passkey was added to your account at Clarity Stream".into(),
            [
                Part::Text(format!("It is called {}. It signs you in, with or without your password.", name(called))),
                text(
                    "If this was not you, choose a new password at once, remove the passkey, and write to an owner of your workspace:",
                ),
                act("Choose a new password", reset),
            ],
        ),
        Letter::PasskeyRemoved { name: called, reset } => words(
            "A passkey of your account at Clarity Stream was removed".into(),
            [
                Part::Text(format!("It was called {}. It signs nobody in any more.", name(called))),
                text("If this was not you, choose a new password at once, and add a second factor again:"),
                act("Choose a new password", reset),
            ],
        ),
        Letter::BreakGlass { workspace, who, page } => {
            let (workspace, who) = (name(workspace), name(who));
            words(
                format!("{who} came in past single sign-on at Clarity Stream"),
                [
                    text(format!(
                        "{who} signed in with a password, and so may enter the workspace “{workspace}”, which asks for its single sign-on. They are marked for it."
                    )),
                    act("Look at the audit log", page),
                    text("If nobody knows why, end their sessions and take the mark away."),
                ],
            )
        }
        Letter::ConfirmEmail { link } => words(
            "Confirm this e-mail for Clarity Stream".into(),
            [
                text(
                    "An account at Clarity Stream is to have this e-mail. If it is yours, open this where you are signed in:",
                ),
                act("Use this e-mail", link),
                text("The link works once, within an hour, for that account only."),
                text("If you did not ask for it, do nothing: nothing changes without the link."),
            ],
        ),
        Letter::EmailWanted { sign_in, reset } => words(
            "This e-mail has an account at Clarity Stream already".into(),
            [
                text(
                    "Somebody wanted to use this e-mail for another account. It has an account already, so nothing was changed, and they were told nothing of it.",
                ),
                act("Sign in", sign_in),
                act("Choose a new password, if you forgot yours", reset),
                text("If this was not you, do nothing."),
            ],
        ),
        Letter::EmailChangeAsked { email, link } => words(
            "Another e-mail was asked for, for your account at Clarity Stream".into(),
            [
                text(format!(
                    "Your account is to have the e-mail {} instead of this one. It changes when the link in the letter there is opened, within an hour.",
                    line(email, ADDRESS)
                )),
                text("If this was you, there is nothing to do here."),
                text("If it was not you, somebody is signed in as you: stop it, then choose a new password."),
                act("Stop the change, and end all sessions", link),
            ],
        ),
        Letter::EmailChanged { email, sign_in } => words(
            "The e-mail of your account at Clarity Stream was changed".into(),
            [
                text(format!(
                    "Your account has the e-mail {} now: you sign in with it, and letters go there. All its other sessions were ended.",
                    line(email, ADDRESS)
                )),
                act("Sign in", sign_in),
                text(
                    "If this was not you, write to an owner of your workspace at once: they see in its audit log what was done, and can take the account out.",
                ),
            ],
        ),
        Letter::RecoveryCodeUsed { left, page } => {
            let left = match left {
                0 => "It was the last one.".to_owned(),
                1 => "One is left.".to_owned(),
                n => format!("{n} are left."),
            };
            words(
                "A recovery code of your account at Clarity Stream was used".into(),
                [
                    text(format!("A recovery code was used in the place of your app's code. {left}")),
                    act("Look at your second factor, and make new codes", page),
                    text("If this was not you, choose a new password at once, then make new codes."),
                ],
            )
        }
        Letter::DeletionRequested { workspace, by, due, link } => {
            let (workspace, by) = (name(workspace), name(by));
            words(
                format!("“{workspace}” at Clarity Stream will be deleted"),
                [
                    text(format!(
                        "{by} asked for the deletion of the workspace “{workspace}”. It goes with all that is in it on {due}."
                    )),
                    text("Until then nothing changes. Any owner can export everything, or keep the workspace:"),
                    act("Open the page of the deletion", link),
                    text(
                        "If nobody of you wanted this, keep the workspace, then look into its audit log and its members.",
                    ),
                ],
            )
        }
        Letter::DeletionCancelled { workspace, by, link } => {
            let (workspace, by) = (name(workspace), name(by));
            words(
                format!("“{workspace}” at Clarity Stream stays"),
                [
                    text(format!("{by} took the deletion of the workspace “{workspace}” back. Nothing was removed.")),
                    act("Open the page of the deletion", link),
                ],
            )
        }
        Letter::WorkspaceDeleted { workspace, link } => {
            let workspace = name(workspace);
            words(
                format!("“{workspace}” at Clarity Stream is deleted"),
                [
                    text(format!("The workspace “{workspace}” and all that was in it are removed.")),
                    text("A certificate says what went, and when. Whoever has this link can read it:"),
                    act("Open the certificate", link),
                    text("Your account stays. Agents that sent to the workspace can be uninstalled."),
                ],
            )
        }
        Letter::PlanNotice { workspace, limit, standing } => plan_notice(&name(workspace), limit, standing),
        Letter::SupportRequest { workspace, by, reason, minutes, link } => {
            let (workspace, by, reason) = (name(workspace), name(by), line(reason, REASON));
            words(
                format!("Our support asks for access to “{workspace}”"),
                [
                    text(format!(
                        "{by} of Clarity Stream asks to look into “{workspace}” for {minutes} minutes: {reason}"
                    )),
                    text(
                        "They would see how your agents and sources are and why events could not be read; no values, and nothing of your members. They can change nothing.",
                    ),
                    act("Approve or refuse", link),
                    text("Without your approval nothing is seen. The request lapses after a day."),
                ],
            )
        }
    }
}

fn plan_notice(workspace: &str, limit: Limit, standing: Standing) -> Words {
    let what = if limit == Limit::BytesPerMonth { "data" } else { "events" };
    let (share, follows) = match standing {
        Standing::Fine | Standing::Near => (80, "Nothing changes yet."),
        Standing::Reached => (100, "Up to 120 % everything is still taken."),
        Standing::Over => (
            120,
            "From now on data waits at your agents, in their spools, until the month ends or the plan is changed. \
             Nothing is lost while a spool has room: look at how full they are on the sources page.",
        ),
    };
    words(
        format!("“{workspace}” has used {share} % of its {what} for this month"),
        [
            text(format!(
                "The workspace “{workspace}” at Clarity Stream has used {share} % of the {what} that its plan has for \
                 this month. {follows}"
            )),
            text("Owners see what was used by which day at “Plan and usage” in the workspace."),
            text("If you need more, write to whoever runs Clarity Stream for you: they set the plan."),
        ],
    )
}

fn words<const N: usize>(subject: String, parts: [Part; N]) -> Words {
    Words { subject, parts: parts.into() }
}

fn text(words: impl Into<String>) -> Part {
    Part::Text(words.into())
}

fn act(label: &'static str, link: &str) -> Part {
    Part::Act { label, link: link.to_owned() }
}

/// A name that a person chose, fit for one line, with nothing in it that a mail program makes a link of; an e-mail address
/// may stay one.
fn name(text: &str) -> String {
    line(text, NAME)
}

/// The same, up to `longest` characters.
fn line(text: &str, longest: usize) -> String {
    let seen: String = text.chars().map(|c| if is_hidden(c) { ' ' } else { c }).collect();
    let words: Vec<String> = seen.split_whitespace().map(unlinked).collect();
    let line = words.join(" ");
    if line.chars().count() <= longest {
        return line;
    }
    let cut: String = line.chars().take(longest - 1).collect();
    format!("{}…", cut.trim_end())
}

/// Controls, and marks that turn the direction of what follows or cannot be seen.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{2028}'..='\u{202e}').contains(&c)
        || ('\u{2060}'..='\u{2069}').contains(&c)
}

fn unlinked(word: &str) -> String {
    if word.contains('@') && !word.contains(['/', ':']) {
        return word.to_owned();
    }
    let mut out = String::with_capacity(word.len() + 4);
    let plain = word.replace("://", " ");
    let mut chars = plain.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        if c == '.' && chars.peek().is_some_and(|next| next.is_alphanumeric()) {
            out.push(' ');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use clarity_domain::role::Role;

    const LINK: &str = "https://clarity.example/invite/00ff";

    #[test]
    fn a_name_is_one_short_line_without_a_link() {
        assert_eq!(name(" Nordmark\r\nBcc: eve@evil.example\u{202e} "), "Nordmark Bcc: eve@evil.example");
        assert_eq!(
            name("Win at https://evil.example/x or www.evil.example"),
            "Win at https evil. example/x or www. evil. example"
        );
        assert_eq!(name("a@evil.example/x"), "a@evil. example/x");
        assert_eq!(name("Maja Lind (maja@nordmark.example)"), "Maja Lind (maja@nordmark.example)");
        assert_eq!(name("Nordmark Foundries Co."), "Nordmark Foundries Co.");
        assert_eq!(name(&"ß".repeat(200)).chars().count(), NAME);
    }

    #[test]
    fn a_subject_is_one_line_whatever_the_name_is() {
        let (workspace, inviter) = ("A\r\nBcc: x\n\n<b>", "I\nJ");
        let letter = Letter::Invitation { workspace, inviter, role: Role::Operator, link: LINK, again: false };
        let words = of(&letter);
        assert_eq!(words.subject, "Invitation to “A Bcc: x <b>” at Clarity Stream");
        assert!(!words.subject.chars().any(char::is_control));
        let Some(Part::Text(first)) = words.parts.first() else { panic!("a text comes first") };
        assert_eq!(first, "I J invites you to the workspace “A Bcc: x <b>” as an operator.");
    }

    #[test]
    fn a_letter_about_the_plan_says_what_follows() {
        let of = |limit, standing| of(&Letter::PlanNotice { workspace: "Nordmark", limit, standing });
        let near = of(Limit::EventsPerMonth, Standing::Near);
        assert_eq!(near.subject, "“Nordmark” has used 80 % of its events for this month");
        let over = of(Limit::BytesPerMonth, Standing::Over);
        assert_eq!(over.subject, "“Nordmark” has used 120 % of its data for this month");
        let Some(Part::Text(first)) = over.parts.first() else { panic!("a text comes first") };
        assert!(first.contains("data waits at your agents"), "{first}");
    }

    #[test]
    fn every_letter_says_where_to_go() {
        let letters = [
            Letter::ConfirmSignUp { link: LINK },
            Letter::AccountExists { sign_in: LINK, reset: LINK },
            Letter::ResetPassword { link: LINK },
            Letter::PasswordChanged { reset: LINK },
            Letter::Invitation { workspace: "W", inviter: "I", role: Role::Viewer, link: LINK, again: true },
            Letter::OwnershipOffer { workspace: "W", by: "I", link: LINK },
            Letter::SecondFactorAdded { reset: LINK },
            Letter::SecondFactorRemoved { reset: LINK },
            Letter::SecondFactorReset { reset: LINK },
            Letter::PasskeyAdded { name: "iPhone", reset: LINK },
            Letter::PasskeyRemoved { name: "iPhone", reset: LINK },
            Letter::ConfirmEmail { link: LINK },
            Letter::EmailWanted { sign_in: LINK, reset: LINK },
            Letter::EmailChangeAsked { email: "maja@nordmark.example", link: LINK },
            Letter::EmailChanged { email: "maja@nordmark.example", sign_in: LINK },
            Letter::RecoveryCodeUsed { left: 9, page: LINK },
            Letter::DeletionRequested { workspace: "W", by: "B", due: "2026-12-23 00:00 UTC", link: LINK },
            Letter::DeletionCancelled { workspace: "W", by: "B", link: LINK },
            Letter::WorkspaceDeleted { workspace: "W", link: LINK },
            Letter::SupportRequest { workspace: "W", by: "A", reason: "R", minutes: 30, link: LINK },
            Letter::BreakGlass { workspace: "W", who: "I", page: LINK },
        ];
        for letter in letters {
            let acts =
                of(&letter).parts.into_iter().filter(|part| matches!(part, Part::Act { link, .. } if link == LINK));
            assert!(acts.count() > 0, "{}", letter.kind());
        }
    }
}
