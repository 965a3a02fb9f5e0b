//! What the link in the letter to the old address stops. Sent as a form, so that the link's secret stands in no query.

use clarity_domain::view::session::EmailChange;
use leptos::prelude::*;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "email_change/find_stop")]
pub async fn find_stop(token: String) -> Result<Wire<EmailChange>, PageError> {
    use crate::server;
    server::services().find_email_stop(&token).await.map(Wire).map_err(server::page_error)
}
