//! What a live grant shows. Each call stands in the workspace's audit log.

use clarity_domain::view::support::OpsLook;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "ops/look", input = GetUrl)]
pub async fn look(slug: String) -> Result<Wire<OpsLook>, PageError> {
    use crate::server::{enter_ops, page_error};
    let (services, seat) = enter_ops().await.map_err(page_error)?;
    services.ops_look(&seat, &slug).await.map(Wire).map_err(page_error)
}
