//! Who asks: the service account behind `Authorization: Bearer`, resolved anew for each request, so that a token that was
//! revoked is out with the next one. A token counts in that header and nowhere else: not in a cookie, which browsers send by
//! themselves, and not in an address, which logs keep.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_service::tokens::is_token;

use crate::middleware::{RequestId, visitor};
use crate::problem::Problem;
use crate::state::AppState;

/// When somebody without a valid token may try again, after too many times.
const NEXT_TRY_S: u64 = 60;

pub async fn layer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().copied();
    if request.uri().query().is_some_and(has_token) {
        let error = AppError::new(
            ErrorCode::Unauthenticated,
            "A token stands in the address, where logs keep it. Revoke it, and send a new one in the header: \
             Authorization: Bearer cst_…",
        );
        return refusal(error, request_id);
    }
    let token = bearer(request.headers()).map(str::to_owned);
    let client = visitor::client(&request, &state.trusted_proxies);
    let seat = match state.services.enter_by_token(token.as_deref(), &client).await {
        Ok(seat) => seat,
        Err(error) => return refusal(error, request_id),
    };
    if let Err(error) = state.services.take_request(&seat) {
        return refusal(error, request_id);
    }
    request.extensions_mut().insert(seat);
    next.run(request).await
}

/// The answer, with what a program needs to go on.
fn refusal(error: AppError, request_id: Option<RequestId>) -> Response {
    let mut response = Problem { error, request_id }.into_response();
    let status = response.status();
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Clarity Stream\""));
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        headers.entry(header::RETRY_AFTER).or_insert(HeaderValue::from(NEXT_TRY_S));
    }
    response
}

/// The token of the one `Authorization` header. When it is sent twice none of them is believed.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut lines = headers.get_all(header::AUTHORIZATION).into_iter();
    let line = lines.next()?.to_str().ok()?;
    let (scheme, token) = line.split_once(' ')?;
    (lines.next().is_none() && scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

/// Whether a query carries a token, whatever it is called there. Nothing in one is changed by percent-encoding.
fn has_token(query: &str) -> bool {
    query.split(['&', '=', ';']).any(is_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_is_taken_from_one_header_alone() {
        let read = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::AUTHORIZATION, HeaderValue::from_static(line));
            }
            bearer(&headers).map(str::to_owned)
        };
        assert_eq!(read(&["Bearer cst_x"]).as_deref(), Some("cst_x"));
        assert_eq!(read(&["bearer  cst_x "]).as_deref(), Some("cst_x"));
        for wrong in [&[][..], &["cst_x"], &["Basic cst_x"], &["Bearer cst_x", "Bearer cst_x"]] {
            assert_eq!(read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn only_a_whole_token_is_found_in_a_query() {
        for fine in ["", "metric=cst_speed", "limit=1&cursor=cst_"] {
            assert!(!has_token(fine), "{fine}");
        }
    }
}
