//! Ends a token.

use clarity_domain::ids::ApiTokenId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "tokens/revoke")]
pub async fn revoke(slug: String, id: ApiTokenId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.revoke_token(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::tokens(&slug));
    Ok(())
}
