//! Stops masking a field.

use leptos::prelude::*;
use uuid::Uuid;

use crate::error::PageError;

#[server(endpoint = "masking/remove")]
pub async fn remove(slug: String, id: Uuid) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.remove_mask(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::masking(&slug));
    Ok(())
}
