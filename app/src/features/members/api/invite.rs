//! Sends an invitation; the page says so.

use clarity_domain::role::Role;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "members/invite")]
pub async fn invite(slug: String, email: String, role: Role) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let email = services.invite(&seat, &email, role).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::members_invited(&slug, &email));
    Ok(())
}
