//! Adds a domain.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "domains/add")]
pub async fn add(slug: String, domain: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.add_domain(&seat, &domain).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sso(&slug));
    Ok(())
}
