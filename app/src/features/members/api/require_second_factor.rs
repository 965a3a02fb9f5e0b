//! Asks the members for a second factor, or not any more.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "members/require_second_factor")]
pub async fn require_second_factor(slug: String, required: bool) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.require_second_factor(&seat, required).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::members(&slug));
    Ok(())
}
