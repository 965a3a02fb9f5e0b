//! Ends one of the visitor's sessions. The workspace is the page's to come back to.

use clarity_domain::ids::SessionId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "sessions/end")]
pub async fn end(slug: String, id: SessionId) -> Result<(), PageError> {
    use crate::server::{client, enter, page_error, visitor};
    let (services, _) = enter(&slug).await.map_err(page_error)?;
    services.end_session(&visitor(), id, &client()).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sessions(&slug));
    Ok(())
}
