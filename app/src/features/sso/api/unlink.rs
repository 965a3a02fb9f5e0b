//! Forgets whom the provider knew a member as.

use clarity_domain::ids::UserId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "sso/unlink")]
pub async fn unlink(slug: String, user: UserId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.unlink_sso(&seat, user).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sso(&slug));
    Ok(())
}
