//! The person's no: the words differ, or nobody here started an agent.

use clarity_domain::ids::PairingId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "pairing/refuse")]
pub async fn refuse(slug: String, id: PairingId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.refuse_pairing(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::pairing(&slug, id));
    Ok(())
}
