//! Takes one of the visitor's passkeys away.

use clarity_domain::ids::PasskeyId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "passkeys/remove")]
pub async fn remove(id: PasskeyId, next: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    server::services().remove_passkey(&server::visitor(), id, &server::client()).await.map_err(server::page_error)?;
    leptos_axum::redirect(&paths::second_factor(next.as_deref()));
    Ok(())
}
