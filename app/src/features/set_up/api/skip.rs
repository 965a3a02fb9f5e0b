//! Leaves a step for later.

use clarity_domain::view::set_up::SetUpStep;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "set_up/skip")]
pub async fn skip(slug: String, step: SetUpStep) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.skip_step(&seat, step).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::set_up(&slug));
    Ok(())
}
