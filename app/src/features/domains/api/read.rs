//! The domains, with what each has to show in DNS.

use clarity_domain::view::domains::WorkspaceDomains;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "domains/read", input = GetUrl)]
pub async fn read(slug: String) -> Result<Wire<WorkspaceDomains>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.domains(&seat).await.map(Wire).map_err(page_error)
}
