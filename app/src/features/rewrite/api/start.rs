//! Asks for a rewrite of history.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "rewrite/start")]
pub async fn start(slug: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.start_rewrite(&seat).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::masking(&slug));
    Ok(())
}
