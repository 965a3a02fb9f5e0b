//! Calls the workspace something else.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "workspace_settings/rename")]
pub async fn rename(slug: String, name: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.rename_workspace(&seat, &name).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::settings(&slug));
    Ok(())
}
