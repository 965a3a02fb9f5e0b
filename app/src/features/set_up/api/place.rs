//! Says where the workspace is.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "set_up/place")]
pub async fn set_place(slug: String, region: String, time_zone: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.set_place(&seat, &region, &time_zone).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::set_up(&slug));
    Ok(())
}
