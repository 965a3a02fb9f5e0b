//! Dead letters of a workspace, grouped by cause.

use clarity_domain::view::dead_letters::DeadLetters;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "dead_letters/list", input = GetUrl)]
pub async fn list(slug: String) -> Result<Wire<DeadLetters>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.dead_letters(&seat).await.map(Wire).map_err(page_error)
}
