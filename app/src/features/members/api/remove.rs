//! Takes a member out of the workspace.

use clarity_domain::ids::UserId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "members/remove")]
pub async fn remove(slug: String, user: UserId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.remove_member(&seat, user).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::members(&slug));
    Ok(())
}
