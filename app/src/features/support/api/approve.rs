//! Lets the one who asked in, for the minutes they asked for.

use clarity_domain::ids::SupportGrantId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "support/approve")]
pub async fn approve_support(slug: String, id: SupportGrantId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.approve_support(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::support(&slug));
    Ok(())
}
