//! The visitor's passkey shows that it is them; back to what they wanted to do.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "passkeys/confirm")]
pub async fn confirm(credential: String, next: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    let done = server::services().confirm_by_passkey(&server::visitor(), &credential, &server::client()).await;
    done.map_err(server::page_error)?;
    leptos_axum::redirect(next.as_deref().and_then(paths::local).unwrap_or(paths::HOME));
    Ok(())
}
