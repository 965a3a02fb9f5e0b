//! Takes a service account out of the workspace, with its tokens.

use clarity_domain::ids::ServiceAccountId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "tokens/remove")]
pub async fn remove(slug: String, id: ServiceAccountId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.remove_service_account(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::tokens(&slug));
    Ok(())
}
