//! The plan, its limits, and what was used by which day.

use clarity_domain::view::usage::Usage;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "usage/read", input = GetUrl)]
pub async fn read(slug: String) -> Result<Wire<Usage>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.usage(&seat).await.map(Wire).map_err(page_error)
}
