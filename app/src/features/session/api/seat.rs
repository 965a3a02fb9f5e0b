//! Whether the visitor is in the workspace at this moment; an error says why not.

use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::error::PageError;

#[server(name = AskSeat, endpoint = "session/seat", input = GetUrl)]
pub async fn seat(slug: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    enter(&slug).await.map(drop).map_err(page_error)
}
