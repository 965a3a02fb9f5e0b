//! What the visitor's browser is asked to show, to confirm that it is them.

use leptos::prelude::*;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "passkeys/begin_confirm")]
pub async fn begin_confirm() -> Result<Wire<String>, PageError> {
    use crate::server;
    server::services().begin_passkey_confirm(&server::visitor()).await.map(Wire).map_err(server::page_error)
}
