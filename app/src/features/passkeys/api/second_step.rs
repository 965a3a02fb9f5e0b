//! The passkey after the password.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "passkeys/second_step")]
pub async fn second_step(credential: String, next: Option<String>) -> Result<(), PageError> {
    use crate::server;
    let pending = server::pending_sign_in().unwrap_or_default();
    let signed_in = server::services().finish_second_step(&pending, &credential, &server::client()).await;
    let signed_in = signed_in.map_err(server::page_error)?;
    server::clear_pending_sign_in();
    server::end_previous_session().await?;
    server::welcome(&signed_in, next.as_deref());
    Ok(())
}
