//! Makes the change, by its link, in a session of the same person; then shows them their page.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "email_change/change")]
pub async fn change(token: String) -> Result<(), PageError> {
    use crate::{paths, server};
    let visitor = server::visitor();
    server::services().change_email(&visitor, &token, &server::client()).await.map_err(server::page_error)?;
    let first = visitor.session().and_then(|session| session.workspaces.first());
    let page = first.map_or_else(|| paths::HOME.to_owned(), |workspace| paths::email_changed(&workspace.slug));
    leptos_axum::redirect(&page);
    Ok(())
}
