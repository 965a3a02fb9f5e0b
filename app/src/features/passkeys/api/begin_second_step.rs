//! What the browser of a sign-in that waits is asked to show. Which sign-in it is, a cookie of this browser says.

use leptos::prelude::*;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "passkeys/begin_second_step")]
pub async fn begin_second_step() -> Result<Wire<String>, PageError> {
    use crate::server;
    let pending = server::pending_sign_in().unwrap_or_default();
    let options = server::services().begin_second_step(&pending, &server::client()).await;
    options.map(Wire).map_err(server::page_error)
}
