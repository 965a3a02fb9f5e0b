//! Gives a member another role.

use clarity_domain::{ids::UserId, role::Role};
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "members/change_role")]
pub async fn change_role(slug: String, user: UserId, role: Role) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.change_role(&seat, user, role).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::members(&slug));
    Ok(())
}
