//! Takes the visitor out of the workspace. Its pages are none of theirs any more.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "members/leave")]
pub async fn leave(slug: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.leave(&seat).await.map_err(page_error)?;
    leptos_axum::redirect(crate::paths::HOME);
    Ok(())
}
