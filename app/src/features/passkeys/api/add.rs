//! The passkey that the visitor's browser made. New recovery codes stay in this browser until the person says that they have
//! them.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "passkeys/add")]
pub async fn add(name: String, credential: String, next: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    let visitor = server::visitor();
    let codes = server::services().add_passkey(&visitor, &name, &credential, &server::client()).await;
    if let Some(codes) = codes.map_err(server::page_error)? {
        server::set_recovery_codes(&codes);
    }
    leptos_axum::redirect(&paths::second_factor(next.as_deref()));
    Ok(())
}
