//! Takes the password and the first code behind a link; then the person signs in with both.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "ops/enrol")]
pub async fn enrol_ops(token: String, password: String, code: String) -> Result<(), PageError> {
    use crate::{paths, server};
    let form = clarity_service::EnrolOps { token, password, code };
    server::services().enrol_ops(form, &server::client()).await.map_err(server::page_error)?;
    leptos_axum::redirect(paths::OPS_SIGN_IN_ANEW);
    Ok(())
}
