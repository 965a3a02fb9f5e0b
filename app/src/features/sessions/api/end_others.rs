//! Ends all of the visitor's sessions but this one. The workspace is the page's to come back to.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "sessions/end_others")]
pub async fn end_others(slug: String) -> Result<(), PageError> {
    use crate::server::{client, enter, page_error, visitor};
    let (services, _) = enter(&slug).await.map_err(page_error)?;
    services.end_other_sessions(&visitor(), &client()).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sessions(&slug));
    Ok(())
}
