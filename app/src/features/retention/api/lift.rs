//! Lifts a legal hold.

use clarity_domain::ids::LegalHoldId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "retention/lift")]
pub async fn lift(slug: String, id: LegalHoldId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.lift_hold(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::retention(&slug));
    Ok(())
}
