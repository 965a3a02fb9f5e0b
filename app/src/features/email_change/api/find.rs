//! What the link in the letter to the new address would change, for the person whose change it is. Sent as a form, so that the
//! link's secret stands in no query.

use clarity_domain::view::session::EmailChange;
use leptos::prelude::*;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "email_change/find")]
pub async fn find(token: String) -> Result<Wire<EmailChange>, PageError> {
    use crate::server;
    let found = server::services().find_email_change(&server::visitor(), &token).await;
    found.map(Wire).map_err(server::page_error)
}
