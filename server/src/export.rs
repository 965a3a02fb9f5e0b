//! `GET /w/{slug}/export.ndjson`: all that a workspace has as a file, sent as it is read.
//!
//! As with the audit log's file: whether the asker may have it is known before the first byte, and a file that is not whole
//! breaks off, without its last line.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use clarity_domain::error::AppError;
use clarity_service::{Client, Visitor, WorkspaceExport};
use futures::stream::try_unfold;

use crate::middleware::RequestId;
use crate::problem::Problem;
use crate::state::AppState;

pub async fn ndjson(
    State(state): State<AppState>,
    Extension(visitor): Extension<Visitor>,
    Extension(client): Extension<Client>,
    Extension(request_id): Extension<RequestId>,
    Path(slug): Path<String>,
) -> Response {
    match begin(&state, &visitor, &client, &slug).await {
        Ok(export) => file(export, &slug),
        Err(error) => Problem { error, request_id: Some(request_id) }.into_response(),
    }
}

async fn begin(state: &AppState, visitor: &Visitor, client: &Client, slug: &str) -> Result<WorkspaceExport, AppError> {
    let seat = state.services.enter(visitor, slug, client).await?;
    state.services.export_workspace(&seat).await
}

fn file(export: WorkspaceExport, slug: &str) -> Response {
    let pieces = try_unfold(export, |mut export| async move {
        let piece = export.next().await?;
        Ok::<_, AppError>(piece.map(|piece| (piece, export)))
    });
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    // A slug that leads into a workspace has nothing in it that a header could not hold.
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{slug}.ndjson\"")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}
