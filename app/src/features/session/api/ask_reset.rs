//! Asks for a new password: a letter with a link goes to the address, if it has an account.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "session/ask_reset")]
pub async fn ask_reset(email: String) -> Result<(), PageError> {
    use crate::{paths, server};
    server::services().ask_password_reset(&email, &server::client()).await.map_err(server::page_error)?;
    leptos_axum::redirect(paths::RESET_SENT);
    Ok(())
}
