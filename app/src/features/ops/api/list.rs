//! The workspaces there are, with nothing of what is in them.

use clarity_domain::view::support::OpsWorkspaces;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "ops/list", input = GetUrl)]
pub async fn list() -> Result<Wire<OpsWorkspaces>, PageError> {
    use crate::server::{enter_ops, page_error};
    let (services, seat) = enter_ops().await.map_err(page_error)?;
    services.ops_workspaces(&seat).await.map(Wire).map_err(page_error)
}
