//! The visitor shows again that it is them, and goes back to what they wanted to do.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "session/confirm_it")]
pub async fn confirm_it(password: String, code: Option<String>, next: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    let form = clarity_service::ConfirmSession { password, code };
    let done = server::services().confirm_session(&server::visitor(), form, &server::client()).await;
    done.map_err(server::page_error)?;
    leptos_axum::redirect(next.as_deref().and_then(paths::local).unwrap_or(paths::HOME));
    Ok(())
}
