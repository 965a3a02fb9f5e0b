//! Says no to a request of support.

use clarity_domain::ids::SupportGrantId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "support/refuse")]
pub async fn refuse_support(slug: String, id: SupportGrantId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.refuse_support(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::support(&slug));
    Ok(())
}
