//! From what the database said to what a person is told. Logged once, here.

use clarity_domain::error::{AppError, ErrorCode};
use clarity_domain::role::Permission;
use clarity_store::StoreError;

/// After which somebody whose workspace is busy may try again.
const BUSY_S: u64 = 2;

/// The answer for a failure that no use case expected.
pub(crate) fn fault(error: StoreError) -> AppError {
    match error {
        StoreError::NotFound => AppError::not_found("thing"),
        StoreError::Unavailable(_) => {
            tracing::warn!(%error, "the database is not available");
            AppError::new(
                ErrorCode::Unavailable,
                "The service cannot answer at this moment. Try again in a few seconds.",
            )
        }
        // A line for each would fill the log as fast as somebody asks.
        StoreError::Busy => AppError::new(
            ErrorCode::Unavailable,
            "This workspace is busy: it asks for more at once than its share. Try again in a few seconds.",
        )
        .retry_after(BUSY_S),
        StoreError::Conflict(_) => AppError::new(
            ErrorCode::Conflict,
            "Somebody else changed this at the same time. Reload the page and try again.",
        ),
        other => {
            tracing::error!(error = %other, "unexpected failure of the store");
            AppError::internal()
        }
    }
}

/// Like [`fault`], for reads of one thing that may not exist or may be another workspace's.
pub(crate) fn missing(what: &'static str) -> impl Fn(StoreError) -> AppError {
    move |error| match error {
        StoreError::NotFound => AppError::not_found(what),
        other => fault(other),
    }
}

/// The operating system gave no random bytes, or a task died: nothing a person can mend.
pub(crate) fn broken(error: impl std::fmt::Display) -> AppError {
    tracing::error!(%error, "unexpected failure");
    AppError::internal()
}

pub(crate) fn forbidden(permission: Permission) -> AppError {
    AppError::forbidden(permission.act())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspace_that_is_busy_is_told_when_to_try_again() {
        let told = fault(StoreError::Busy);
        assert_eq!((told.code, told.retry_after_s), (ErrorCode::Unavailable, Some(2)));
        assert!(told.message.starts_with("This workspace is busy"), "{told}");
        assert_eq!(fault(StoreError::Unavailable("connection".into())).retry_after_s, None);
    }
}
