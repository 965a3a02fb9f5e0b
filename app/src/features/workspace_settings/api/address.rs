//! Gives the workspace another address, and goes there.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "workspace_settings/address")]
pub async fn change_address(slug: String, address: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let now = services.change_address(&seat, &address).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::settings(&now));
    Ok(())
}
