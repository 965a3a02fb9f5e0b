//! What every request is held to before anything else looks at it: each parameter of its query once, an answer that begins
//! within a minute, and in production nothing that is there for building the product.

use std::collections::HashSet;
use std::time::Duration;

use axum::extract::{Query, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use clarity_domain::error::{AppError, ErrorCode};
use tokio::time::timeout;
use tracing::Instrument;

use super::RequestId;
use crate::problem::Problem;
use crate::state::AppState;

/// Statements end after ten seconds; whatever waits for longer than a few of them holds a place that others need. Streams
/// and files have begun long before.
const ANSWER: Duration = Duration::from_secs(60);
/// The gallery of the kit: for those who build it.
const WORKSHOP: &str = "/dev/ui";

pub async fn layer(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().copied();
    if state.site.secure && request.uri().path().starts_with(WORKSHOP) {
        return Problem { error: AppError::not_found("page"), request_id }.into_response();
    }
    if let Some(name) = doubled(&request) {
        let error = AppError::invalid(name, "This parameter is there twice.");
        return Problem { error, request_id }.into_response();
    }
    within(ANSWER, request, next).await
}

/// The first parameter that the query has twice: one part of us could look at the one, another at the other.
fn doubled(request: &Request) -> Option<String> {
    let Query(all) = Query::<Vec<(String, String)>>::try_from_uri(request.uri()).ok()?;
    // Remembered, not compared one with another: anybody may send thousands.
    let mut seen = HashSet::with_capacity(all.len());
    all.iter().find(|(name, _)| !seen.insert(name.as_str())).map(|(name, _)| name.clone())
}

async fn within(limit: Duration, request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestId>().copied();
    let only_reads = request.method().is_safe();
    let answer = timeout(limit, next.run(request));
    let answer = if only_reads {
        answer.await
    } else {
        // What changes something goes on when whoever asked for it goes away: else half of it would be done and nothing of it
        // written down, and its place would be given to the next while its last statement still has the connection.
        match tokio::spawn(answer.in_current_span()).await {
            Ok(answer) => answer,
            // It panicked, and said so, or the process ends.
            Err(_) => return Problem { error: AppError::internal(), request_id }.into_response(),
        }
    };
    match answer {
        Ok(response) => response,
        Err(_) => {
            tracing::warn!(limit_s = limit.as_secs(), "a request took too long and was ended");
            let error =
                AppError::new(ErrorCode::Unavailable, "This took too long and was ended. Try again in a moment.");
            Problem { error, request_id }.into_response()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::Router;
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::middleware::from_fn;
    use axum::routing::{get, post};
    use std::sync::Arc;
    use tokio::sync::Notify;
    use tower::ServiceExt;

    #[test]
    fn a_doubled_parameter_is_found_however_it_is_written() {
        let of = |query: &str| doubled(&Request::get(format!("/x?{query}")).body(Body::empty()).unwrap());
        assert_eq!(of("a=1&b=1&aa=2&A=3"), None);
        assert_eq!(of("a=1&b=2&a=1").as_deref(), Some("a"));
        assert_eq!(of("slug=nordmark&%73lug=acme").as_deref(), Some("slug"));
        assert_eq!(of(""), None);
    }

    #[tokio::test]
    async fn a_request_that_takes_too_long_is_ended() {
        let limit = Duration::from_millis(20);
        let router = Router::new()
            .route("/slow", get(std::future::pending::<()>))
            .route("/fast", get(|| async { "there" }))
            .layer(from_fn(move |request: Request, next: Next| within(limit, request, next)));
        let ask = |path: &str| router.clone().oneshot(Request::get(path).body(Body::empty()).unwrap());
        assert_eq!(ask("/fast").await.unwrap().status(), StatusCode::OK);
        assert_eq!(ask("/slow").await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn an_act_is_done_to_its_end_when_its_caller_goes_away() {
        let limit = Duration::from_secs(10);
        let [begun, gate, done]: [Arc<Notify>; 3] = Default::default();
        let act = {
            let (begun, gate, done) = (Arc::clone(&begun), Arc::clone(&gate), Arc::clone(&done));
            move || async move {
                begun.notify_one();
                gate.notified().await;
                done.notify_one();
            }
        };
        let router = Router::new()
            .route("/act", post(act))
            .layer(from_fn(move |request: Request, next: Next| within(limit, request, next)));
        let mut asked = Box::pin(router.oneshot(Request::post("/act").body(Body::empty()).unwrap()));
        tokio::select! {
            _ = &mut asked => panic!("it waits at the gate"),
            () = begun.notified() => {}
        }
        drop(asked);
        gate.notify_one();
        timeout(limit, done.notified()).await.unwrap();
    }
}
