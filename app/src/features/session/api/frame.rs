//! What the frame around a workspace page shows.

use clarity_domain::view::session::Frame;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(name = ReadFrame, endpoint = "session/frame", input = GetUrl)]
pub async fn frame(slug: String) -> Result<Wire<Frame>, PageError> {
    use crate::server::{enter, page_error, visitor};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.frame(&visitor(), &seat).await.map(Wire).map_err(page_error)
}
