//! The first code of the visitor's app. The recovery codes stay in this browser until the person says that they have them.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "second_factor/enrol")]
pub async fn enrol(code: String, next: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    let visitor = server::visitor();
    let codes = server::services().confirm_enrolment(&visitor, &code, &server::client()).await;
    let codes = codes.map_err(server::page_error)?;
    server::set_recovery_codes(&codes);
    leptos_axum::redirect(&paths::second_factor(next.as_deref()));
    Ok(())
}
