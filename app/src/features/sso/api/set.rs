//! Keeps the provider. An empty secret leaves the one there is.

use clarity_domain::role::Role;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "sso/set")]
pub async fn set_sso(
    slug: String,
    issuer: String,
    client_id: String,
    client_secret: String,
    default_role: Role,
    enabled: bool,
) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    use clarity_domain::view::sso::SsoEdit;
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let edit = SsoEdit { issuer, client_id, client_secret, default_role, enabled };
    services.set_sso(&seat, edit).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sso(&slug));
    Ok(())
}
