//! `GET /w/{slug}/audit.csv` and `.ndjson`: the audit log as a file, sent as it is read.
//!
//! Whether the asker may have it is known before the first byte; who loses the right while the file is on its way gets no
//! more of it, and the connection breaks, so that a file that is not whole is not taken for one that is.

use std::collections::HashMap;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use clarity_domain::error::AppError;
use clarity_domain::view::audit::AuditFilter;
use clarity_service::{AuditExport, Client, ExportFormat, Visitor};
use futures::stream::try_unfold;

use crate::middleware::RequestId;
use crate::problem::Problem;
use crate::state::AppState;

pub async fn csv(state: State<AppState>, asker: Asker, path: Path<String>, query: Query<Pairs>) -> Response {
    export(state, asker, path, query, ExportFormat::Csv).await
}

pub async fn ndjson(state: State<AppState>, asker: Asker, path: Path<String>, query: Query<Pairs>) -> Response {
    export(state, asker, path, query, ExportFormat::Ndjson).await
}

type Asker = (Extension<Visitor>, Extension<Client>, Extension<RequestId>);
type Pairs = HashMap<String, String>;

async fn export(
    State(state): State<AppState>,
    (Extension(visitor), Extension(client), Extension(request_id)): Asker,
    Path(slug): Path<String>,
    Query(query): Query<Pairs>,
    format: ExportFormat,
) -> Response {
    let filter = AuditFilter::from_query(|name| query.get(name).cloned());
    match begin(&state, &visitor, &client, &slug, &filter, format).await {
        Ok(export) => file(export, &slug, format),
        Err(error) => Problem { error, request_id: Some(request_id) }.into_response(),
    }
}

async fn begin(
    state: &AppState,
    visitor: &Visitor,
    client: &Client,
    slug: &str,
    filter: &AuditFilter,
    format: ExportFormat,
) -> Result<AuditExport, AppError> {
    let seat = state.services.enter(visitor, slug, client).await?;
    state.services.export_audit(&seat, filter, format).await
}

fn file(export: AuditExport, slug: &str, format: ExportFormat) -> Response {
    let pieces = try_unfold(export, |mut export| async move {
        let piece = export.next().await?;
        Ok::<_, AppError>(piece.map(|piece| (piece, export)))
    });
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.content_type()));
    // A slug that leads into a workspace has nothing in it that a header could not hold.
    let name = format!("attachment; filename=\"audit-{slug}.{}\"", format.as_str());
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}
