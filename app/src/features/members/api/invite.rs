//! Sends an invitation; the page says so.

use clarity_domain::{ids::SiteId, role::Role};
use leptos::prelude::*;

use crate::error::PageError;

/// `only` is `these` for the sites that are ticked, and else every site.
#[server(endpoint = "members/invite")]
pub async fn invite(
    slug: String,
    email: String,
    role: Role,
    #[server(default)] only: String,
    #[server(default)] sites: Vec<SiteId>,
) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let limit = (only == "these").then_some(sites.as_slice());
    let email = services.invite_to(&seat, &email, role, limit).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::members_invited(&slug, &email));
    Ok(())
}
