//! Pages and server functions of the app, with the contexts they ask for.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use clarity_app::{App, shell};
use clarity_service::{Client, Visitor};
use leptos::prelude::{provide_context, use_context};
use leptos_axum::{AxumRouteListing, LeptosRoutes};

use crate::state::AppState;

/// The app's own list of its pages, made once. While it is made nothing in this process may read for a page: leptos has every
/// read that begins meanwhile wait for ever, and a page drawn by a second server beside this one would never be ready.
static PAGES: LazyLock<Vec<AxumRouteListing>> = LazyLock::new(|| leptos_axum::generate_route_list(App));

/// The paths of all pages, as axum writes them: `/w/{slug}/sources`.
pub fn pages() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(AxumRouteListing::path)
}

/// Every route of the app, and the server functions.
pub fn routes(state: &AppState) -> Router<AppState> {
    let options = state.options.clone();
    Router::new().leptos_routes_with_context(state, PAGES.clone(), contexts(state), move || shell(options.clone()))
}

/// The app's answer to a path it does not have.
pub async fn not_found(State(state): State<AppState>, request: Request) -> Response {
    let options = state.options.clone();
    let render = leptos_axum::render_app_async_with_context(contexts(&state), move || shell(options.clone()));
    render(request).await.into_response()
}

/// The middleware put the visitor into the request; leptos gives the request's parts as a context before this runs.
fn contexts(state: &AppState) -> impl Fn() + Clone + Send + Sync + 'static {
    let (services, site) = (state.services.clone(), state.site.clone());
    move || {
        provide_context(services.clone());
        provide_context(site.clone());
        let parts = use_context::<Parts>();
        let of_request = parts.as_ref().map(|parts| &parts.extensions);
        provide_context(of_request.and_then(|e| e.get::<Visitor>()).cloned().unwrap_or(Visitor::Anonymous));
        provide_context(of_request.and_then(|e| e.get::<Client>()).cloned().unwrap_or_default());
    }
}
