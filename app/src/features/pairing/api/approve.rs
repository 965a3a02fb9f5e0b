//! The person's yes to the key whose six words they compared.

use clarity_domain::ids::PairingId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "pairing/approve")]
pub async fn approve(slug: String, id: PairingId) -> Result<(), PageError> {
    let (services, seat) = crate::server::enter(&slug).await?;
    services.approve_pairing(&seat, id).await?;
    leptos_axum::redirect(&crate::paths::pairing(&slug, id));
    Ok(())
}
