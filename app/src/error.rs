//! What went wrong on a page: the service's own answer, or the way to it.

use clarity_domain::error::{AppError, ErrorCode};
use serde::{Deserialize, Serialize};
use server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};

/// An error of a server function. Components match on [`PageError::code`], never on the text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageError(pub AppError);

impl PageError {
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The message, when it is about this field of a form.
    pub fn of_field(&self, name: &str) -> Option<String> {
        (self.0.field.as_deref() == Some(name)).then(|| self.0.message.clone())
    }

    /// The message, when no field of the form can show it.
    pub fn beside_fields(&self, names: &[&str]) -> Option<String> {
        let shown = self.0.field.as_deref().is_some_and(|field| names.contains(&field));
        (!shown).then(|| self.0.message.clone())
    }
}

impl PageError {
    /// What the server could not read is the asker's fault, and its status says so.
    #[cfg(feature = "ssr")]
    fn unread(error: AppError) -> Self {
        crate::server::page_error(error)
    }

    #[cfg(not(feature = "ssr"))]
    fn unread(error: AppError) -> Self {
        Self(error)
    }
}

impl From<AppError> for PageError {
    fn from(error: AppError) -> Self {
        Self(error)
    }
}

impl std::fmt::Display for PageError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0.message)
    }
}

impl std::error::Error for PageError {}

impl FromServerFnError for PageError {
    type Encoder = JsonEncoding;

    /// What happens on the way. Its own text names types and paths, which help nobody on a page.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let error = match error {
            ServerFnErrorErr::Request(_) => AppError::new(
                ErrorCode::Unavailable,
                "Clarity Stream cannot be reached. Check your connection; what you see here is from before.",
            ),
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => {
                return Self::unread(AppError::new(
                    ErrorCode::Invalid,
                    "The form could not be read. Reload the page and try again.",
                ));
            }
            _ => AppError::internal(),
        };
        Self(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_stands_at_its_field_or_above_the_form() {
        let error = PageError(AppError::invalid("email", "no"));
        assert_eq!(error.of_field("email").as_deref(), Some("no"));
        assert_eq!(error.of_field("password"), None);
        assert_eq!(error.beside_fields(&["email"]), None);
        assert_eq!(error.beside_fields(&["password"]).as_deref(), Some("no"));
    }

    #[test]
    fn codes_survive_the_way_to_the_browser() {
        let error = PageError(AppError::not_found("source"));
        assert_eq!(PageError::de(error.ser()), error);
    }
}
