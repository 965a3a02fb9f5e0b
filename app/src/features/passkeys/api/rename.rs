//! Calls one of the visitor's passkeys something else.

use clarity_domain::ids::PasskeyId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "passkeys/rename")]
pub async fn rename(id: PasskeyId, name: String, next: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    let renamed = server::services().rename_passkey(&server::visitor(), id, &name, &server::client()).await;
    renamed.map_err(server::page_error)?;
    leptos_axum::redirect(&paths::second_factor(next.as_deref()));
    Ok(())
}
