//! Makes a one-time code. It is kept hashed; this browser keeps it, until it expires, in a cookie no script can read.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "pairing/begin")]
pub async fn begin(slug: String) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let pairing = services.begin_pairing(&seat).await.map_err(page_error)?;
    if let Some(code) = &pairing.code {
        crate::server::set_pairing_code(&pairing.id.to_string(), code);
    }
    leptos_axum::redirect(&crate::paths::pairing(&slug, pairing.id));
    Ok(())
}
