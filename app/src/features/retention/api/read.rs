//! The policies and holds, with the preview that the URL asks for.

use clarity_domain::view::retention::Retention;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "retention/read", input = GetUrl)]
pub async fn read(slug: String, class: Option<String>, days: Option<String>) -> Result<Wire<Retention>, PageError> {
    use crate::server::{enter, page_error};
    use clarity_domain::view::retention::RetentionQuery;
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.retention(&seat, &RetentionQuery { class, days }).await.map(Wire).map_err(page_error)
}
