//! What would go, and whether it is asked for.

use clarity_domain::view::deletion::DeletionPage;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(name = ReadDeletion, endpoint = "deletion/read", input = GetUrl)]
pub async fn read(slug: String) -> Result<Wire<DeletionPage>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.deletion(&seat).await.map(Wire).map_err(page_error)
}
