//! Whether a rewrite can begin, and how far the last one is.

use clarity_domain::view::rewrite::Rewriting;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "rewrite/read", input = GetUrl)]
pub async fn read(slug: String) -> Result<Wire<Rewriting>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.rewriting(&seat).await.map(Wire).map_err(page_error)
}
