//! The address that the link of a sign-up was sent to. Sent as a form, so that the link's secret
//! stands in no address.

use leptos::prelude::*;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "session/find_sign_up")]
pub async fn find_sign_up(token: String) -> Result<Wire<String>, PageError> {
    use crate::server;
    server::services().find_sign_up(&token).await.map(Wire).map_err(server::page_error)
}
