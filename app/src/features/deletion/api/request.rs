//! Asks for the end of the workspace; its name was typed.

use leptos::prelude::*;

use crate::error::PageError;

#[server(name = RequestDeletion, endpoint = "deletion/request")]
pub async fn request(slug: String, name: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.request_deletion(&seat, &name).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::deletion(&slug));
    Ok(())
}
