//! One more workspace for somebody who is signed in, and opens its set-up.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "session/add_workspace")]
pub async fn add_workspace(workspace: String) -> Result<(), PageError> {
    use crate::{paths, server};
    let services = server::services();
    let made = services.add_workspace(&server::visitor(), &workspace, &server::client()).await;
    leptos_axum::redirect(&paths::set_up(&made.map_err(server::page_error)?.slug));
    Ok(())
}
