//! The policies, and what could be masked.

use clarity_domain::view::masking::Masking;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "masking/read", input = GetUrl)]
pub async fn read(slug: String) -> Result<Wire<Masking>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.masking(&seat).await.map(Wire).map_err(page_error)
}
