//! The set-up of a workspace, as far as it is.

use clarity_domain::view::set_up::SetUp;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "set_up/read", input = GetUrl)]
pub async fn read(slug: String) -> Result<Wire<SetUp>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.set_up(&seat).await.map(Wire).map_err(page_error)
}
