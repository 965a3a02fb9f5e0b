//! Changes name or time zone of a site.

use clarity_domain::ids::SiteId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "workspace_settings/set_site")]
pub async fn set_site(slug: String, id: SiteId, name: String, time_zone: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.set_site(&seat, id, &name, &time_zone).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::settings(&slug));
    Ok(())
}
