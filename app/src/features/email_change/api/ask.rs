//! Asks for another address: a letter goes to it and one to the old. The answer is the same whoever has the address.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "email_change/ask")]
pub async fn ask(slug: String, email: String) -> Result<(), PageError> {
    use crate::server::{client, enter, page_error, visitor};
    let (services, _) = enter(&slug).await.map_err(page_error)?;
    services.ask_email_change(&visitor(), &email, &client()).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sessions(&slug));
    Ok(())
}
