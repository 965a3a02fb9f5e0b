//! What an invitation's link shows. By POST, so that the token stands in no query string; nothing is changed.

use clarity_domain::view::members::InvitationCard;
use leptos::prelude::*;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "invitation/find")]
pub async fn find(token: String) -> Result<Wire<InvitationCard>, PageError> {
    use crate::server;
    let found = server::services().find_invitation(&server::visitor(), &token).await;
    found.map(Wire).map_err(server::page_error)
}
