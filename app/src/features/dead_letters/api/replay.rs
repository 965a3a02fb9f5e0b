//! Tries all letters of one cause again.

use clarity_domain::ids::StreamId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "dead_letters/replay")]
pub async fn replay(slug: String, stream: StreamId, fingerprint: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.replay_dead_letters(&seat, stream, &fingerprint).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::dead_letters(&slug));
    Ok(())
}
