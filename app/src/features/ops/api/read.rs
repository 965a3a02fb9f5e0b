//! One workspace by name and counts, with the viewer's own requests.

use clarity_domain::view::support::OpsWorkspacePage;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "ops/read", input = GetUrl)]
pub async fn read(slug: String) -> Result<Wire<OpsWorkspacePage>, PageError> {
    use crate::server::{enter_ops, page_error};
    let (services, seat) = enter_ops().await.map_err(page_error)?;
    services.ops_workspace(&seat, &slug).await.map(Wire).map_err(page_error)
}
