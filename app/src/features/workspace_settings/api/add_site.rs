//! Adds a site.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "workspace_settings/add_site")]
pub async fn add_site(slug: String, site: String, site_zone: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.add_site(&seat, &site, &site_zone).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::settings(&slug));
    Ok(())
}
