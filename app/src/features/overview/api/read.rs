//! Everything the Overview shows, in one read.

use clarity_domain::view::overview::{Overview, OverviewQuery};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "overview/read", input = GetUrl)]
pub async fn read(slug: String, query: OverviewQuery) -> Result<Wire<Overview>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.overview(&seat, &query).await.map(Wire).map_err(page_error)
}
