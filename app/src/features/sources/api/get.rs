//! One source with its streams, positions, problems and gaps.

use clarity_domain::{ids::SourceId, view::sources::SourceDetail};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "sources/get", input = GetUrl)]
pub async fn get(slug: String, id: SourceId) -> Result<Wire<SourceDetail>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.source(&seat, id).await.map(Wire).map_err(page_error)
}
