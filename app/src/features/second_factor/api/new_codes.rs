//! Ten new recovery codes in the place of the ones before.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "second_factor/new_codes")]
pub async fn new_codes(next: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    let visitor = server::visitor();
    let codes = server::services().new_recovery_codes(&visitor, &server::client()).await;
    let codes = codes.map_err(server::page_error)?;
    server::set_recovery_codes(&codes);
    leptos_axum::redirect(&paths::second_factor(next.as_deref()));
    Ok(())
}
