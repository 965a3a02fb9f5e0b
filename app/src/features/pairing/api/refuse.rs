//! The person's no: the words differ, or nobody here started an agent.

use clarity_domain::ids::PairingId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "pairing/refuse")]
pub async fn refuse(slug: String, id: PairingId) -> Result<(), PageError> {
    let (services, seat) = crate::server::enter(&slug).await?;
    services.refuse_pairing(&seat, id).await?;
    leptos_axum::redirect(&crate::paths::pairing(&slug, id));
    Ok(())
}
