//! Makes a person and their workspace from the link that was sent to them, and opens its
//! set-up.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "session/confirm")]
pub async fn confirm(token: String, workspace: String, name: String, password: String) -> Result<(), PageError> {
    use crate::{paths, server};
    let form = clarity_service::ConfirmSignUp { token, workspace, name, password };
    let signed_in = server::services().confirm_sign_up(form, &server::client()).await.map_err(server::page_error)?;
    server::end_previous_session().await?;
    server::set_session(&signed_in.token, signed_in.max_age_s);
    let first = signed_in.session.workspaces.first().map(|workspace| paths::set_up(&workspace.slug));
    leptos_axum::redirect(&first.unwrap_or_else(|| paths::HOME.into()));
    Ok(())
}
