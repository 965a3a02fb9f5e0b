//! Asks every member to come by single sign-on, or not any more.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "sso/require")]
pub async fn require(slug: String, required: bool) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.require_sso(&seat, required).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sso(&slug));
    Ok(())
}
