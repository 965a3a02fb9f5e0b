//! Says how long a class is kept; for a shorter time with how many rows the preview said would go.

use clarity_domain::retention::DataClass;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "retention/set")]
pub async fn set_keep(slug: String, class: DataClass, days: String, previewed: Option<u64>) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.set_retention(&seat, class, &days, previewed).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::retention(&slug));
    Ok(())
}
