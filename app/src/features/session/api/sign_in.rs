//! Signs in, and goes where the person wanted to go.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "session/sign_in")]
pub async fn sign_in(email: String, password: String, next: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    let form = clarity_service::SignIn { email, password };
    let signed_in = server::services().sign_in(form, &server::client()).await.map_err(server::page_error)?;
    // The session that this browser had is over: nobody would end it otherwise.
    server::services().sign_out(&server::visitor(), &server::client()).await.map_err(server::page_error)?;
    server::set_session(&signed_in.token, signed_in.max_age_s);
    let first = signed_in.session.workspaces.first().map(|workspace| paths::workspace(&workspace.slug));
    let wanted = next.as_deref().and_then(paths::local).map(str::to_owned);
    leptos_axum::redirect(&wanted.or(first).unwrap_or_else(|| paths::HOME.into()));
    Ok(())
}
