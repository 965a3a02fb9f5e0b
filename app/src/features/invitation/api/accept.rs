//! Uses an invitation, with the account that is signed in or with a new one, and opens the workspace.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "invitation/accept")]
pub async fn accept(token: String, name: Option<String>, password: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    let new = name.zip(password).map(|(name, password)| clarity_service::NewAccount { name, password });
    let accepted = server::services().accept_invitation(&server::visitor(), &token, new, &server::client()).await;
    let accepted = accepted.map_err(server::page_error)?;
    if let Some(signed_in) = accepted.signed_in {
        server::set_session(&signed_in.token, signed_in.max_age_s);
    }
    leptos_axum::redirect(&paths::workspace(&accepted.slug));
    Ok(())
}
