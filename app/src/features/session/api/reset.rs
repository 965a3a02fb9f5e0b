//! Sets a new password from the link that was sent to the person. It signs nobody in.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "session/reset")]
pub async fn reset(token: String, password: String) -> Result<(), PageError> {
    use crate::{paths, server};
    server::services().reset_password(&token, password, &server::client()).await.map_err(server::page_error)?;
    server::clear_session();
    leptos_axum::redirect(paths::SIGN_IN_ANEW);
    Ok(())
}
