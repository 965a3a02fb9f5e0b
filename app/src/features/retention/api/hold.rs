//! Places a legal hold.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "retention/hold")]
pub async fn hold(slug: String, reason: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.place_hold(&seat, &reason).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::retention(&slug));
    Ok(())
}
