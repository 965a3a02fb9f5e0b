//! Removes a site that nothing hangs on.

use clarity_domain::ids::SiteId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "workspace_settings/remove_site")]
pub async fn remove_site(slug: String, id: SiteId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.remove_site(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::settings(&slug));
    Ok(())
}
