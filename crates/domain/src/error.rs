//! The one error that leaves a service: a closed code for machines, a sentence for people.
//!
//! Components and clients match on the code, never on the text. The text says what happened and what to do, in the
//! user's words, and never carries database text or payloads.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a request was not carried out. Closed: a new code is a change of contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// No valid session: sign in.
    Unauthenticated,
    /// Signed in, but the role does not allow it.
    Forbidden,
    /// Signed in, and the role allows it, but it is long ago that the person showed that it is them: confirm it, then again.
    ConfirmNeeded,
    /// The workspace asks its members for a second factor, and this session has shown none.
    SecondFactorNeeded,
    /// The workspace asks its members to come by its single sign-on, and this session did not.
    SsoNeeded,
    /// It does not exist, or belongs to somebody else: the same answer for both.
    NotFound,
    /// An argument is wrong; `field` names it.
    Invalid,
    /// It collides with something that exists (a slug, an e-mail, a state already left).
    Conflict,
    /// Too many attempts; try again later.
    RateLimited,
    /// A limit of the plan or of the request was passed.
    LimitExceeded,
    /// The service cannot answer now; trying again may help.
    Unavailable,
    /// A fault of ours; the request id finds it in the log.
    Internal,
}

/// An error as a person or a client sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppError {
    pub code: ErrorCode,
    /// What happened and what to do, one or two sentences.
    pub message: String,
    /// The argument that is wrong, for `Invalid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// When it may be tried again, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

impl AppError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, retry_after_s: None }
    }

    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: ErrorCode::Invalid, message: message.into(), field: Some(field.into()), retry_after_s: None }
    }

    /// The same, which may be tried again in so many seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after_s: Some(seconds), ..self }
    }

    pub fn not_found(what: &str) -> Self {
        Self::new(ErrorCode::NotFound, format!("This {what} does not exist, or you have no access to it."))
    }

    pub fn forbidden(act: &str) -> Self {
        Self::new(
            ErrorCode::Forbidden,
            format!("Your role does not allow you to {act}. Ask an admin of the workspace."),
        )
    }

    pub fn unauthenticated() -> Self {
        Self::new(ErrorCode::Unauthenticated, "You are signed out. Sign in to go on.")
    }

    pub fn confirm_needed() -> Self {
        Self::new(ErrorCode::ConfirmNeeded, "Confirm that it is you: this needs your password, given a moment ago.")
    }

    pub fn second_factor_needed() -> Self {
        Self::new(ErrorCode::SecondFactorNeeded, "This workspace asks for a second factor. Add one to go on.")
    }

    pub fn sso_needed() -> Self {
        Self::new(ErrorCode::SsoNeeded, "This workspace asks for its single sign-on. Sign in with it to go on.")
    }

    pub fn internal() -> Self {
        Self::new(
            ErrorCode::Internal,
            "Something went wrong on our side. Try again; if it stays, send us the request id of this page.",
        )
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AppError {}
