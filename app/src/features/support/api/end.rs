//! Takes access of support back, at once.

use clarity_domain::ids::SupportGrantId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "support/end")]
pub async fn end_support(slug: String, id: SupportGrantId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.end_support(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::support(&slug));
    Ok(())
}
