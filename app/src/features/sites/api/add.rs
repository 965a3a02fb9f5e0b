//! Adds a site.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "sites/add")]
pub async fn add_site(slug: String, name: String, time_zone: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.add_site(&seat, &name, &time_zone).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sites(&slug));
    Ok(())
}
