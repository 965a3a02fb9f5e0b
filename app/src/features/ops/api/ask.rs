//! Asks the owners of a workspace for access.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "ops/ask")]
pub async fn ask_support(slug: String, reason: String, minutes: u32) -> Result<(), PageError> {
    use crate::server::{enter_ops, page_error};
    let (services, seat) = enter_ops().await.map_err(page_error)?;
    services.ask_support(&seat, &slug, &reason, minutes).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::ops_workspace(&slug));
    Ok(())
}
