//! Makes the visitor an owner, as an owner has offered.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "members/accept_ownership")]
pub async fn accept_ownership(slug: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.accept_ownership(&seat).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::members(&slug));
    Ok(())
}
