//! Shows or hides the sample data of a workspace without an event.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "set_up/sample")]
pub async fn show_sample(slug: String, show: bool) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.show_sample(&seat, show).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::workspace(&slug));
    Ok(())
}
