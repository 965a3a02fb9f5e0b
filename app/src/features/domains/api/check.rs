//! Looks in DNS for a domain's text; what was found stands with the domain.

use clarity_domain::ids::DomainId;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "domains/check")]
pub async fn check(slug: String, id: DomainId) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.check_domain(&seat, id).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::sso(&slug));
    Ok(())
}
