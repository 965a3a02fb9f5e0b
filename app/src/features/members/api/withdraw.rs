//! Takes an offer of ownership back.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "members/withdraw")]
pub async fn withdraw(slug: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.withdraw_offer(&seat).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::members(&slug));
    Ok(())
}
