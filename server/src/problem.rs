//! Errors outside of pages, as `application/problem+json` (RFC 9457) with a stable code and the request's id.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use clarity_domain::error::{AppError, ErrorCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::middleware::RequestId;

pub struct Problem {
    pub error: AppError,
    pub request_id: Option<RequestId>,
}

/// What went wrong, and what to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemBody {
    /// Always `about:blank`: `code` says what it is.
    #[serde(rename = "type")]
    pub kind: String,
    pub title: String,
    pub status: u16,
    /// For people: one or two sentences.
    pub detail: String,
    /// For programs, and stable: unauthenticated, forbidden, not_found, invalid, conflict, rate_limited, limit_exceeded,
    /// unavailable or internal.
    #[schema(value_type = String)]
    pub code: ErrorCode,
    /// The parameter that is wrong, for `invalid`.
    pub field: Option<String>,
    /// As the header x-request-id has it: it finds the request in our log.
    pub request_id: Option<String>,
}

pub const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden | ErrorCode::ConfirmNeeded | ErrorCode::SecondFactorNeeded | ErrorCode::SsoNeeded => {
            StatusCode::FORBIDDEN
        }
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::Conflict => StatusCode::CONFLICT,
        ErrorCode::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::LimitExceeded => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = status(self.error.code);
        let retry_after_s = self.error.retry_after_s;
        let body = ProblemBody {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: self.error.message,
            code: self.error.code,
            field: self.error.field,
            request_id: self.request_id.map(|id| id.to_string()),
        };
        let mut response = (status, axum::Json(body)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_ends_says_when() {
        let busy = AppError::new(ErrorCode::Unavailable, "busy");
        let answer = |error| Problem { error, request_id: None }.into_response();
        let timed = answer(busy.clone().retry_after(2));
        assert_eq!(timed.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(timed.headers().get(header::RETRY_AFTER), Some(&HeaderValue::from_static("2")));
        assert!(answer(busy).headers().get(header::RETRY_AFTER).is_none());
    }
}
