//! Ends an invitation that nobody has accepted.

use clarity_domain::ids::InvitationId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "members/revoke")]
pub async fn revoke(slug: String, id: InvitationId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.revoke_invitation(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::members(&slug));
    Ok(())
}
