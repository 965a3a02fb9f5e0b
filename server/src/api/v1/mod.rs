//! The API, version 1: reading, by an API token. One file an operation: its view, its OpenAPI entry, one service call.
//!
//! Server functions live below `/api/` too, each at the path of its own feature and name; no feature is called `v1`, and the
//! router refuses to start with two doors at one path. Cookies are not looked at here: what another site makes a browser
//! send opens nothing.

mod answer;
pub mod assets;
pub mod bearer;
pub mod openapi;
pub mod series;
pub mod sources;
pub mod workspace;

use axum::Extension;
use axum::routing::{MethodRouter, get};
use clarity_domain::error::AppError;

use crate::middleware::RequestId;
use crate::problem::Problem;
use crate::state::AppState;

/// Every operation that needs a token.
pub fn operations() -> Vec<(&'static str, MethodRouter<AppState>)> {
    vec![
        ("/api/v1/workspace", get(workspace::get::get)),
        ("/api/v1/assets", get(assets::list::list)),
        ("/api/v1/assets/{id}", get(assets::get::get)),
        ("/api/v1/sources", get(sources::list::list)),
        ("/api/v1/series", get(series::query::query)),
    ]
}

/// A path of the API that is none: in the API's words, not as a page.
pub async fn not_found(Extension(request_id): Extension<RequestId>) -> Problem {
    Problem { error: AppError::not_found("operation"), request_id: Some(request_id) }
}
