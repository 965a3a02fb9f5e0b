//! The provider as it is set up, for owners.

use clarity_domain::view::sso::SsoPage;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "sso/read", input = GetUrl)]
pub async fn read(slug: String) -> Result<Wire<SsoPage>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.sso(&seat).await.map(Wire).map_err(page_error)
}
