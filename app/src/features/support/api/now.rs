//! Who of support may read the workspace at this moment.

use clarity_domain::view::support::SupportNow;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "support/now", input = GetUrl)]
pub async fn now(slug: String) -> Result<Wire<Vec<SupportNow>>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.support_now(&seat).await.map(Wire).map_err(page_error)
}
