//! Takes the provider away.

use leptos::prelude::*;

use crate::error::PageError;

#[server(name = Remove, endpoint = "sso/remove")]
pub async fn remove(slug: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.remove_sso(&seat).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sso(&slug));
    Ok(())
}
