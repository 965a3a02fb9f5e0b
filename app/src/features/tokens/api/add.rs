//! Makes another token of a service account. As with the first, this browser alone has its text, for minutes.

use clarity_domain::{ids::ServiceAccountId, scope::Scope};
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "tokens/add")]
pub async fn add(
    slug: String,
    account: ServiceAccountId,
    name: String,
    #[server(default)] scopes: Vec<Scope>,
    days: u32,
) -> Result<(), PageError> {
    use crate::server::{enter, page_error, set_new_token};
    use clarity_service::tokens::NewTokenForm;
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let form = NewTokenForm { account, name, scopes, days };
    let new = services.add_token(&seat, form).await.map_err(page_error)?;
    set_new_token(&new.id.to_string(), &new.text);
    leptos_axum::redirect(&crate::paths::token_made(&slug, new.id));
    Ok(())
}
