//! Which account somebody in this browser has to show to be theirs. Which attempt it is, a cookie says.

use clarity_domain::view::sso::SsoLink;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "sso/find_link", input = GetUrl)]
pub async fn find_link() -> Result<Wire<SsoLink>, PageError> {
    use crate::server;
    let token = server::sso_link().unwrap_or_default();
    server::services().find_sso_link(&token).await.map(Wire).map_err(server::page_error)
}
