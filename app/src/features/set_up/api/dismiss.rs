//! The Overview names the set-up no more.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "set_up/dismiss")]
pub async fn dismiss(slug: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.dismiss_set_up(&seat).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::workspace(&slug));
    Ok(())
}
