//! Makes the change, by its link, in a session of the same person; then shows them their page.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "email_change/change")]
pub async fn change(token: String) -> Result<(), PageError> {
    use crate::{paths, server};
    let (services, visitor, client) = (server::services(), server::visitor(), server::client());
    services.change_email(&visitor, &token, &client).await.map_err(server::page_error)?;
    // It stands in each workspace: the first one that lets them in as they are.
    let all = visitor.session().map(|session| session.workspaces.as_slice()).unwrap_or_default();
    let mut page = paths::HOME.to_owned();
    for workspace in all {
        if services.enter(&visitor, &workspace.slug, &client).await.is_ok() {
            page = paths::email_changed(&workspace.slug);
            break;
        }
    }
    leptos_axum::redirect(&page);
    Ok(())
}
