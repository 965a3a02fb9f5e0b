//! The address that the link of a sign-up was sent to.

use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "session/find_sign_up", input = GetUrl)]
pub async fn find_sign_up(token: String) -> Result<Wire<String>, PageError> {
    use crate::server;
    server::services().find_sign_up(&token).await.map(Wire).map_err(server::page_error)
}
