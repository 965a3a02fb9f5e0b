//! What a browser is asked to show of whoever sits before it. A cookie says later which question was answered.

use leptos::prelude::*;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "passkeys/begin_sign_in")]
pub async fn begin_sign_in() -> Result<Wire<String>, PageError> {
    use crate::server;
    let begun = server::services().begin_passkey_sign_in(&server::client()).await;
    let (begun, options) = begun.map_err(server::page_error)?;
    server::set_passkey_sign_in(&begun.token, begun.max_age_s);
    Ok(Wire(options))
}
