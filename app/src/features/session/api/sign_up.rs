//! Asks for an account: a letter with a link goes to the address.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "session/sign_up")]
pub async fn sign_up(email: String) -> Result<(), PageError> {
    use crate::{paths, server};
    server::services().ask_sign_up(&email, &server::client()).await.map_err(server::page_error)?;
    leptos_axum::redirect(paths::SIGN_UP_SENT);
    Ok(())
}
