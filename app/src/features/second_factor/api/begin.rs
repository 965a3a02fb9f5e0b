//! Makes a secret for the visitor's app.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "second_factor/begin")]
pub async fn begin(next: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    server::services().begin_enrolment(&server::visitor()).await.map_err(server::page_error)?;
    leptos_axum::redirect(&paths::second_factor(next.as_deref()));
    Ok(())
}
