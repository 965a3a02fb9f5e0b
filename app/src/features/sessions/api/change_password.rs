//! Sets another password for the visitor, who says the one they have.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "sessions/change_password")]
pub async fn change_password(slug: String, current: String, password: String) -> Result<(), PageError> {
    use crate::server::{client, enter, page_error, visitor};
    let (services, _) = enter(&slug).await.map_err(page_error)?;
    services.change_password(&visitor(), current, password, &client()).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::password_changed(&slug));
    Ok(())
}
