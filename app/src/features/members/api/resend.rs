//! Sends an invitation's letter again, with another link; the page says so.

use clarity_domain::ids::InvitationId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "members/resend")]
pub async fn resend(slug: String, id: InvitationId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let email = services.resend_invitation(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::members_resent(&slug, &email));
    Ok(())
}
