//! Says which sites a member sees.

use clarity_domain::ids::{SiteId, UserId};
use leptos::prelude::*;

use crate::error::PageError;

/// `only` is `these` for the sites that are ticked, and else every site.
#[server(endpoint = "members/limit")]
pub async fn limit(
    slug: String,
    user: UserId,
    #[server(default)] only: String,
    #[server(default)] sites: Vec<SiteId>,
) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let limit = (only == "these").then_some(sites.as_slice());
    services.limit_member(&seat, user, limit).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::members(&slug));
    Ok(())
}
