//! Ends the session of this browser.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "session/sign_out")]
pub async fn sign_out() -> Result<(), PageError> {
    use crate::{paths, server};
    server::services().sign_out(&server::visitor(), &server::client()).await.map_err(server::page_error)?;
    server::clear_session();
    server::clear_recovery_codes();
    server::clear_cache();
    leptos_axum::redirect(paths::SIGN_IN);
    Ok(())
}
