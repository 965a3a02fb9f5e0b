//! Shows that the account is one's own, links it, and goes into the workspace.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "sso/link")]
pub async fn link(password: String, code: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    use clarity_service::{LinkSso, SsoOutcome};
    let token = server::sso_link().unwrap_or_default();
    let linked = server::services().link_sso(&token, LinkSso { password, code }, &server::client()).await;
    if let SsoOutcome::SignedIn { signed_in, slug, next } = linked.map_err(server::page_error)? {
        server::clear_sso_link();
        server::end_previous_session().await?;
        server::welcome(&signed_in, Some(&next.unwrap_or_else(|| paths::workspace(&slug))));
    }
    Ok(())
}
