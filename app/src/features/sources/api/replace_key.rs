//! Asks for a new key in the place of an agent's own.

use clarity_domain::ids::AgentId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "sources/replace_key")]
pub async fn replace_key(slug: String, id: AgentId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.replace_agent_key(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sources(&slug));
    Ok(())
}
