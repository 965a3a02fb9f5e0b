//! All sources of a workspace with their summary.

use clarity_domain::view::sources::Sources;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "sources/list", input = GetUrl)]
pub async fn list(slug: String) -> Result<Wire<Sources>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.sources(&seat).await.map(Wire).map_err(page_error)
}
