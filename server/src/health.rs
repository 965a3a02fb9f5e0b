//! For load balancers: whether the process answers, and whether it can do its work.

use axum::extract::State;
use axum::http::StatusCode;

use crate::state::AppState;

pub async fn healthz() -> &'static str {
    "ok\n"
}

pub async fn readyz(State(state): State<AppState>) -> (StatusCode, &'static str) {
    if state.shutdown.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n");
    }
    if !state.files.join("assets.json").is_file() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the site's files are not there\n");
    }
    if !state.services.is_ready().await {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    }
    (StatusCode::OK, "ready\n")
}
