//! A page of the machines, and the sites to choose from.

use clarity_domain::view::sites::{SitesPage, SitesQuery};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "sites/read", input = GetUrl)]
pub async fn read(
    slug: String,
    // Of an empty one nothing stands in the address.
    #[server(default)] query: SitesQuery,
) -> Result<Wire<SitesPage>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.sites(&seat, &query).await.map(Wire).map_err(page_error)
}
