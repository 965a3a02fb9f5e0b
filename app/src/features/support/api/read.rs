//! Requests of support for access, with what was read under each.

use clarity_domain::view::support::SupportPage;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "support/read", input = GetUrl)]
pub async fn read(slug: String) -> Result<Wire<SupportPage>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.support_page(&seat).await.map(Wire).map_err(page_error)
}
