//! The newest letters, and one of them. "Not found" where letters are sent.

use clarity_domain::{ids::MailId, view::outbox::Outbox};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "outbox/read", input = GetUrl)]
pub async fn read(open: Option<MailId>) -> Result<Wire<Outbox>, PageError> {
    use crate::server;
    server::services().outbox(open).await.map(Wire).map_err(server::page_error)
}
