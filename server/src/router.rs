//! Which path is what, and what every request passes through.

use axum::Router;
use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, any, get};
use clarity_runtime::planted::planted;
use tower::{Layer, ServiceExt};
use tower_http::CompressionLevel;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::limit::RequestBodyLimitLayer;

use crate::state::AppState;
use crate::{api, assets, audit, export, health, live, middleware, sso, ssr};

const BODY_LIMIT_BYTES: usize = 1024 * 1024;

/// From the outside in: request id, headers, cross-site, bounds, body limit, the whole body, then static files, with a token the
/// API or, with a visitor, the app.
pub fn router(state: AppState) -> Router {
    // Live streams must not wait in a compressor.
    let when = DefaultPredicate::new().and(NotForContentType::new("text/event-stream"));
    let compression = CompressionLayer::new().quality(CompressionLevel::Precise(4)).compress_when(when);
    let fallback = {
        let state = state.clone();
        move |request: Request| file_or_not_found(state.clone(), request)
    };
    let add = |router: Router<AppState>, (path, door): (&'static str, MethodRouter<AppState>)| router.route(path, door);
    let app = of_visitors().into_iter().fold(ssr::routes(&state), add);
    let app = app.layer(from_fn_with_state(state.clone(), middleware::visitor::layer));
    let of_tokens = of_tokens().into_iter().fold(Router::new(), add);
    let of_tokens = of_tokens.layer(from_fn_with_state(state.clone(), api::v1::bearer::layer));
    of_anybody()
        .into_iter()
        .fold(Router::new().merge(app).merge(of_tokens).merge(assets::hashed(&state.files)), add)
        .route("/api/v1/{*rest}", any(api::v1::not_found))
        .fallback(fallback)
        .layer(compression)
        .layer(from_fn(middleware::body::layer))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT_BYTES))
        .layer(from_fn_with_state(state.clone(), middleware::bounds::layer))
        .layer(from_fn_with_state(state.clone(), middleware::cross_site::layer))
        .layer(from_fn_with_state(state.clone(), middleware::headers::layer))
        .layer(from_fn(middleware::request_id::layer))
        .with_state(state)
}

/// Paths that ask who is there and are neither pages nor server functions.
pub fn of_visitors() -> Vec<(&'static str, MethodRouter<AppState>)> {
    let mut doors = vec![
        ("/w/{slug}/live", get(live::stream)),
        ("/w/{slug}/audit.csv", get(audit::csv)),
        ("/w/{slug}/audit.ndjson", get(audit::ndjson)),
        ("/w/{slug}/export.ndjson", get(export::ndjson)),
        ("/sso/start", get(sso::find)),
        ("/sso/start/{slug}", get(sso::start)),
        ("/sso/callback/{workspace}", get(sso::callback)),
    ];
    if planted("a-door-that-nobody-listed") {
        doors.push(("/w/{slug}/audit.txt", get(audit::csv)));
    }
    doors
}

/// Paths that ask for an API token, and look at no cookie.
pub fn of_tokens() -> Vec<(&'static str, MethodRouter<AppState>)> {
    api::v1::operations()
}

/// Paths that ask nobody.
pub fn of_anybody() -> Vec<(&'static str, MethodRouter<AppState>)> {
    vec![
        ("/healthz", get(health::healthz)),
        ("/readyz", get(health::readyz)),
        ("/api/v1/openapi.json", get(api::v1::openapi::serve)),
    ]
}

/// A file of the site under its own name, else the app's page for what is not there.
async fn file_or_not_found(state: AppState, request: Request) -> axum::response::Response {
    let page = axum::handler::Handler::with_state(ssr::not_found, state.clone());
    let page = from_fn_with_state(state.clone(), middleware::visitor::layer).layer(page);
    let files = assets::named_cache().layer(assets::named(&state.files).fallback(page));
    match files.oneshot(request).await {
        Ok(response) => axum::response::IntoResponse::into_response(response),
        Err(never) => match never {},
    }
}
