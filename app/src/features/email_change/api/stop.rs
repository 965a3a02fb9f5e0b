//! Stops the change, ends every session of the person, and leads on to a new password.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "email_change/stop")]
pub async fn stop(token: String) -> Result<(), PageError> {
    use crate::{paths, server};
    server::services().stop_email_change(&token, &server::client()).await.map_err(server::page_error)?;
    leptos_axum::redirect(paths::RESET_AFTER_STOP);
    Ok(())
}
