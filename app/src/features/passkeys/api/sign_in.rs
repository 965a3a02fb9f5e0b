//! Signs in by a passkey alone, and goes where the person wanted to go.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "passkeys/sign_in")]
pub async fn sign_in(credential: String, next: Option<String>) -> Result<(), PageError> {
    use crate::server;
    let begun = server::passkey_sign_in().unwrap_or_default();
    let signed_in = server::services().sign_in_by_passkey(&begun, &credential, &server::client()).await;
    let signed_in = signed_in.map_err(server::page_error)?;
    server::clear_passkey_sign_in();
    server::clear_pending_sign_in();
    server::end_previous_session().await?;
    server::welcome(&signed_in, next.as_deref());
    Ok(())
}
