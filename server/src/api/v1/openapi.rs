//! `GET /api/v1/openapi.json`: the API described for programs that make clients of it. It asks nobody, and `docs/api` keeps
//! what it says, so that a change of the API is seen where it is made.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Clarity Stream",
        version = "1",
        description = "Reads a workspace: its machines, sources and values over time. Times are RFC 3339 in UTC, ids are UUIDs. Errors are application/problem+json with a stable code and the request's id."
    ),
    paths(
        crate::api::v1::workspace::get::get,
        crate::api::v1::assets::list::list,
        crate::api::v1::assets::get::get,
        crate::api::v1::sources::list::list,
        crate::api::v1::series::query::query,
    ),
    modifiers(&Bearer),
    tags(
        (name = "workspace", description = "The token's workspace"),
        (name = "assets", description = "Machines"),
        (name = "sources", description = "Where the data comes from"),
        (name = "series", description = "Values over time"),
    )
)]
struct Document;

/// How one is let in.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let components = openapi.components.get_or_insert_with(Default::default);
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// Never changes while the server runs.
static TEXT: LazyLock<String> = LazyLock::new(|| {
    serde_json::to_string_pretty(&Document::openapi()).unwrap_or_else(|error| {
        tracing::error!(%error, "the API's description cannot be written");
        String::new()
    })
});

pub async fn serve() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], TEXT.as_str()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::v1::operations;

    const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api/openapi.json");

    #[test]
    fn the_description_is_the_one_that_is_kept() {
        let made = format!("{}\n", *TEXT);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(GOLDEN, &made).unwrap();
        }
        let kept = std::fs::read_to_string(GOLDEN).unwrap_or_default();
        assert!(
            kept == made,
            "docs/api/openapi.json is not what the API says: run `UPDATE_GOLDEN=1 cargo test -p clarity-server openapi` \
             and look at what changed"
        );
    }

    #[test]
    fn every_operation_is_described_and_needs_a_token() {
        let described: serde_json::Value = serde_json::from_str(&TEXT).unwrap();
        let paths = described["paths"].as_object().unwrap();
        let mut served: Vec<&str> = operations().into_iter().map(|(path, _)| path).collect();
        served.sort_unstable();
        let mut named: Vec<&str> = paths.keys().map(String::as_str).collect();
        named.sort_unstable();
        assert_eq!(named, served);
        for (path, item) in paths {
            let get = &item["get"];
            assert!(get["security"][0]["token"].is_array(), "{path}");
            for status in ["200", "401", "403", "422", "429"] {
                assert!(get["responses"][status].is_object(), "{path} {status}");
            }
        }
        assert_eq!(described["components"]["securitySchemes"]["token"]["scheme"], "bearer");
    }
}
