//! The visitor takes back what they asked for.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "email_change/withdraw")]
pub async fn withdraw(slug: String) -> Result<(), PageError> {
    use crate::server::{client, enter, page_error, visitor};
    let (services, _) = enter(&slug).await.map_err(page_error)?;
    services.withdraw_email_change(&visitor(), &client()).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sessions(&slug));
    Ok(())
}
