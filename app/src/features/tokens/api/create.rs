//! Makes a service account and its first token. The token is kept hashed; this browser keeps its text, for minutes, in a cookie
//! that no script can read.

use clarity_domain::{role::Role, scope::Scope};
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "tokens/create")]
pub async fn create(
    slug: String,
    name: String,
    role: Role,
    #[server(default)] scopes: Vec<Scope>,
    days: u32,
) -> Result<(), PageError> {
    use crate::server::{enter, page_error, set_new_token};
    use clarity_service::tokens::NewAccountToken;
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let form = NewAccountToken { name, role, scopes, days };
    let new = services.create_service_account(&seat, form).await.map_err(page_error)?;
    set_new_token(&new.id.to_string(), &new.text);
    leptos_axum::redirect(&crate::paths::token_made(&slug, new.id));
    Ok(())
}
