//! The letters of a server that sends none: shown on a page of its own, so that their links can be followed.

use serde::{Deserialize, Serialize};

use crate::{ids::MailId, time::Micros};

/// What can be said of a letter in a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LetterLine {
    pub id: MailId,
    pub at: Micros,
    pub to: String,
    pub subject: String,
}

/// A letter that is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpenLetter {
    pub line: LetterLine,
    /// The plain text, with its links.
    pub text: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outbox {
    /// Newest first.
    pub letters: Vec<LetterLine>,
    /// The one that was asked for, when it is still there.
    pub open: Option<OpenLetter>,
}
