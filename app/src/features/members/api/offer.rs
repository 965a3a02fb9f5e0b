//! Offers a member to become an owner.

use clarity_domain::ids::UserId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "members/offer")]
pub async fn offer(slug: String, user: UserId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.offer_ownership(&seat, user).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::members(&slug));
    Ok(())
}
