//! Takes an agent's right to connect, for good.

use clarity_domain::ids::AgentId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "sources/revoke_agent")]
pub async fn revoke_agent(slug: String, id: AgentId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.revoke_agent(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sources(&slug));
    Ok(())
}
