//! A body is read whole before anybody looks at it: one that turns out too long on the way, since it said nothing of its length, is
//! answered as one that did. The limit itself is around this.

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clarity_domain::error::{AppError, ErrorCode};

use super::RequestId;
use crate::problem::Problem;

pub async fn layer(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    // No limit of its own. Whoever broke off in the middle hears no answer.
    match to_bytes(body, usize::MAX).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(_) => {
            let error = AppError::new(ErrorCode::LimitExceeded, "This is too long. Send less at once.");
            Problem { error, request_id: parts.extensions.get::<RequestId>().copied() }.into_response()
        }
    }
}
