//! Names the first site.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "set_up/site")]
pub async fn set_site(slug: String, name: String, time_zone: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.set_first_site(&seat, &name, &time_zone).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::set_up(&slug));
    Ok(())
}
