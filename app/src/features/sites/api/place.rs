//! Puts a machine at a site, or at none.

use clarity_domain::ids::AssetId;
use leptos::prelude::*;

use crate::error::PageError;

/// `site` is an id, and empty for none: what a form can say. `next` is the page of machines that it stood on.
#[server(endpoint = "sites/place")]
pub async fn place_machine(
    slug: String,
    machine: AssetId,
    site: String,
    next: Option<String>,
) -> Result<(), PageError> {
    use crate::{
        paths,
        server::{enter, page_error},
    };
    use clarity_domain::{error::AppError, ids::SiteId};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let site = match site.as_str() {
        "" => None,
        text => Some(text.parse::<SiteId>().map_err(|_| page_error(AppError::not_found("site")))?),
    };
    services.move_asset(&seat, machine, site).await.map_err(page_error)?;
    leptos_axum::redirect(next.as_deref().and_then(paths::local).unwrap_or(&paths::sites(&slug)));
    Ok(())
}
