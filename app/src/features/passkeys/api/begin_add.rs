//! What the visitor's browser is asked to make a passkey.

use leptos::prelude::*;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "passkeys/begin_add")]
pub async fn begin_add() -> Result<Wire<String>, PageError> {
    use crate::server;
    server::services().begin_passkey(&server::visitor()).await.map(Wire).map_err(server::page_error)
}
