//! Makes a person and their workspace, and opens it.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "session/sign_up")]
pub async fn sign_up(workspace: String, name: String, email: String, password: String) -> Result<(), PageError> {
    use crate::{paths, server};
    let form = clarity_service::SignUp { workspace, name, email, password };
    let signed_in = server::services().sign_up(form, &server::client()).await.map_err(server::page_error)?;
    server::set_session(&signed_in.token, signed_in.max_age_s);
    let first = signed_in.session.workspaces.first().map(|workspace| paths::workspace(&workspace.slug));
    leptos_axum::redirect(&first.unwrap_or_else(|| paths::HOME.into()));
    Ok(())
}
