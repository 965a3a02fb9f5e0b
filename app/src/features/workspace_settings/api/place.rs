//! Says where the workspace is.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "workspace_settings/place")]
pub async fn move_place(slug: String, region: String, time_zone: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.set_place(&seat, &region, &time_zone).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::settings(&slug));
    Ok(())
}
