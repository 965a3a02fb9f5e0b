//! How it stands with the visitor's second factor, with codes that this browser made a moment ago.

use clarity_domain::view::second_factor::SecondFactorPage;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "second_factor/read", input = GetUrl)]
pub async fn read() -> Result<Wire<SecondFactorPage>, PageError> {
    use crate::server;
    let visitor = server::visitor();
    let mut page = server::services().second_factor(&visitor).await.map_err(server::page_error)?;
    if page.is_on() {
        page.new_codes = server::recovery_codes();
    }
    Ok(Wire(page))
}
