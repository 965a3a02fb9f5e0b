//! What the platform's own people did at their own doors: a page of it.

use clarity_domain::view::support::{OpsEventQuery, OpsEvents};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "ops/events", input = GetUrl)]
pub async fn events(
    // Of an empty one nothing stands in the address.
    #[server(default)] query: OpsEventQuery,
) -> Result<Wire<OpsEvents>, PageError> {
    use crate::server::{enter_ops, page_error};
    let (services, seat) = enter_ops().await.map_err(page_error)?;
    services.ops_events(&seat, &query).await.map(Wire).map_err(page_error)
}
