//! The person's yes to the key whose six words they compared.

use clarity_domain::ids::PairingId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "pairing/approve")]
pub async fn approve(slug: String, id: PairingId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.approve_pairing(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::pairing(&slug, id));
    Ok(())
}
