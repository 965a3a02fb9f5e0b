//! Assets and sources by name.

use clarity_domain::view::search::SearchHit;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::error::PageError;

#[server(endpoint = "search/find", input = GetUrl)]
pub async fn search(slug: String, text: String) -> Result<Vec<SearchHit>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.search(&seat, &text).await.map_err(page_error)
}
