//! Puts a machine at a site, or at none.

use clarity_domain::ids::AssetId;
use leptos::prelude::*;

use crate::error::PageError;

/// `site` is an id, and empty for none: what a form can say.
#[server(endpoint = "sites/place")]
pub async fn place_machine(slug: String, machine: AssetId, site: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    use clarity_domain::{error::AppError, ids::SiteId};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let site = match site.as_str() {
        "" => None,
        text => Some(text.parse::<SiteId>().map_err(|_| page_error(AppError::not_found("site")))?),
    };
    services.move_asset(&seat, machine, site).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sites(&slug));
    Ok(())
}
