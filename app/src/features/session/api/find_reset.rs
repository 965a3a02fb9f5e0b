//! Whose the link for a new password is: their address, for the page and the browser's list of passwords. Sent as a
//! form, so that the link's secret stands in no address.

use leptos::prelude::*;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "session/find_reset")]
pub async fn find_reset(token: String) -> Result<Wire<String>, PageError> {
    use crate::server;
    let found = server::services().find_password_reset(&token).await;
    found.map(|user| Wire(user.email)).map_err(server::page_error)
}
