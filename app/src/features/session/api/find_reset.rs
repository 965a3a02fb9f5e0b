//! Whose the link for a new password is: their address, for the page and the browser's list of passwords.

use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "session/find_reset", input = GetUrl)]
pub async fn find_reset(token: String) -> Result<Wire<String>, PageError> {
    use crate::server;
    let found = server::services().find_password_reset(&token).await;
    found.map(|user| Wire(user.email)).map_err(server::page_error)
}
