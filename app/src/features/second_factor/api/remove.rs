//! Takes the visitor's second factor away.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "second_factor/remove")]
pub async fn remove(next: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    server::services().remove_second_factor(&server::visitor(), &server::client()).await.map_err(server::page_error)?;
    server::clear_recovery_codes();
    leptos_axum::redirect(&paths::second_factor(next.as_deref()));
    Ok(())
}
