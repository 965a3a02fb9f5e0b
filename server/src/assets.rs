//! The built site: names of its files, and the files themselves, compressed beforehand where the build did.

use std::path::Path;

use anyhow::Context;
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::Response;
use clarity_app::context::Assets;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// The names in `assets.json`, read once at start.
pub fn read_names(site: &Path) -> anyhow::Result<Assets> {
    let path = site.join("assets.json");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read: build the site with `cargo xtask build`", path.display()))?;
    Assets::from_json(&text).with_context(|| format!("{} is not an object of names", path.display()))
}

/// `/pkg`: files whose name carries the hash of their content; a browser may keep them for ever.
pub fn hashed<S: Clone + Send + Sync + 'static>(site: &Path) -> Router<S> {
    Router::new().nest_service("/pkg", files(&site.join("pkg"))).layer(map_response(keep_forever))
}

async fn keep_forever(mut response: Response) -> Response {
    if response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED {
        let forever = HeaderValue::from_static("public, max-age=31536000, immutable");
        response.headers_mut().insert(header::CACHE_CONTROL, forever);
    }
    response
}

/// Files under their own name: icons, the manifest.
pub fn named(site: &Path) -> ServeDir {
    files(site)
}

/// How long [`named`] files may be kept.
pub fn named_cache() -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"))
}

fn files(folder: &Path) -> ServeDir {
    ServeDir::new(folder).precompressed_br().precompressed_gzip().append_index_html_on_directories(false)
}
