//! Marks an owner who may come in past single sign-on, or takes the mark away.

use clarity_domain::ids::UserId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "sso/break_glass")]
pub async fn break_glass(slug: String, user: UserId, marked: bool) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.set_break_glass(&seat, user, marked).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sso(&slug));
    Ok(())
}
