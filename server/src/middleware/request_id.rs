//! An id for each request, in the answer and in the log, and one line about it. The id is ours: a client's is not taken
//! over. Of the address only the path is logged: queries hold what people search for. Of a path that lets its bearer in, only
//! what it is for.

use std::fmt;
use std::time::Instant;

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument;
use uuid::Uuid;

#[derive(Clone, Copy, Debug)]
pub struct RequestId(Uuid);

impl RequestId {
    /// For the audit log.
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.simple().fmt(f)
    }
}

/// Paths that end in the secret of a link.
const SECRET: [&str; 6] = ["/confirm/", "/reset/", "/email/", "/invite/", "/deleted/", "/ops/enrol/"];

fn logged(path: &str) -> &str {
    SECRET.into_iter().find(|secret| path.starts_with(secret)).unwrap_or(path)
}

pub async fn layer(mut request: Request, next: Next) -> Response {
    let id = RequestId(Uuid::now_v7());
    request.extensions_mut().insert(id);
    let span = tracing::info_span!("request", %id, method = %request.method(), path = logged(request.uri().path()));
    let started = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let elapsed_ms = started.elapsed().as_secs_f64() * 1000.0;
    span.in_scope(|| match status {
        500.. => tracing::warn!(status, elapsed_ms, "answered"),
        // Refused, malformed or not there: whoever tries our bounds is seen.
        400..=499 => tracing::info!(status, elapsed_ms, "answered"),
        _ => tracing::debug!(status, elapsed_ms, "answered"),
    });
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::logged;

    #[test]
    fn the_secret_of_a_link_is_not_logged() {
        assert_eq!(logged("/reset/00ff"), "/reset/");
        assert_eq!((logged("/email/00ff"), logged("/email/stop/00ff")), ("/email/", "/email/"));
        assert_eq!(logged("/invite/00ff/"), "/invite/");
        assert_eq!(logged("/ops/enrol/00ff"), "/ops/enrol/");
        assert_eq!(logged("/w/nordmark/members"), "/w/nordmark/members");
        assert_eq!(logged("/reset"), "/reset");
    }
}
