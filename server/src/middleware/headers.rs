//! Headers of every answer. Pages bring their own content security policy, with a nonce; all else gets one that allows
//! nothing. What says nothing of caching is not to be kept, and what is text says that it is UTF-8.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::state::AppState;

const ALWAYS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // Some paths hold the secret of a link: no other site hears of any. Our own does: a form that is sent without script goes
    // back to its page with its error.
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), \
         payment=(), usb=()",
    ),
];

pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    ));
    name_charset(headers);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if state.site.secure {
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    }
    response
}

/// For what guesses a file's type by its name, and says no more. Event streams are UTF-8 whatever is said of them.
fn name_charset(headers: &mut HeaderMap) {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return };
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let is_text = essence.starts_with("text/") || essence.ends_with("+xml") || essence.ends_with("/xml");
    if !is_text || essence == "text/event-stream" || kind.contains("charset=") {
        return;
    }
    if let Ok(named) = HeaderValue::from_str(&format!("{kind}; charset=utf-8")) {
        headers.insert(header::CONTENT_TYPE, named);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_says_that_it_is_utf_8_and_all_else_stays_as_it_is() {
        for (was, is) in [
            ("text/css", "text/css; charset=utf-8"),
            ("text/javascript", "text/javascript; charset=utf-8"),
            ("image/svg+xml", "image/svg+xml; charset=utf-8"),
            ("text/html; charset=utf-8", "text/html; charset=utf-8"),
            ("text/csv; charset=utf-8; header=present", "text/csv; charset=utf-8; header=present"),
            ("text/event-stream", "text/event-stream"),
            ("application/wasm", "application/wasm"),
            ("application/json", "application/json"),
        ] {
            let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(was))]);
            name_charset(&mut headers);
            assert_eq!(headers[header::CONTENT_TYPE], is);
        }
        let mut nothing = HeaderMap::new();
        name_charset(&mut nothing);
        assert!(nothing.is_empty());
    }
}
