//! Takes the workspace's deletion back.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "deletion/keep")]
pub async fn keep(slug: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.cancel_deletion(&seat).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::deletion(&slug));
    Ok(())
}
