//! The visitor's sessions that have not ended.

use clarity_domain::view::session::OpenSessions;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "sessions/list", input = GetUrl)]
pub async fn list() -> Result<Wire<OpenSessions>, PageError> {
    use crate::server;
    server::services().open_sessions(&server::visitor()).await.map(Wire).map_err(server::page_error)
}
