//! What the workspace is called, where it is, and its sites.

use clarity_domain::view::workspace_settings::WorkspaceSettings;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "workspace_settings/read", input = GetUrl)]
pub async fn read(slug: String) -> Result<Wire<WorkspaceSettings>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.workspace_settings(&seat).await.map(Wire).map_err(page_error)
}
