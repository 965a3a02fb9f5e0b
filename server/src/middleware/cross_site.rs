//! Refuses requests that another site made a browser send (CSRF). Server functions take plain forms, which any site
//! could post; the browser says where a request came from, and we believe it alone.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clarity_domain::error::{AppError, ErrorCode};
use clarity_runtime::planted::planted;

use super::RequestId;
use crate::problem::Problem;
use crate::state::AppState;

pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || is_our_own(request.headers(), &state.site.origin) || planted("another-site-may-post") {
        return next.run(request).await;
    }
    // The request's span says which path, without what lets its bearer in.
    tracing::warn!("refused a request from another site");
    let error =
        AppError::new(ErrorCode::Forbidden, "This request came from another site. Reload the page and try again.");
    Problem { error, request_id: request.extensions().get::<RequestId>().copied() }.into_response()
}

/// `Sec-Fetch-Site` where the browser sends it, else `Origin`, else no.
fn is_our_own(headers: &HeaderMap, origin: &str) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => matches!(site.as_bytes(), b"same-origin" | b"none"),
        None => headers.get(header::ORIGIN).is_some_and(|from| from.as_bytes() == origin.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn only_the_browsers_word_counts() {
        let cases: [(&[(&'static str, &'static str)], bool); 8] = [
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://a.example")], false),
            (&[("origin", "https://a.example")], true),
            (&[("origin", "https://a.example.evil")], false),
            (&[("origin", "null")], false),
            (&[], false),
        ];
        for (headers, fine) in cases {
            let map: HeaderMap =
                headers.iter().map(|(k, v)| (k.parse().unwrap(), HeaderValue::from_static(v))).collect();
            assert_eq!(is_our_own(&map, "https://a.example"), fine, "{headers:?}");
        }
    }
}
