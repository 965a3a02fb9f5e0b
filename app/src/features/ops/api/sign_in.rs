//! Signs one of the platform's own people in: address, password and code at once.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "ops/sign_in")]
pub async fn ops_sign_in(email: String, password: String, code: String) -> Result<(), PageError> {
    use crate::{paths, server};
    let form = clarity_service::OpsSignIn { email, password, code };
    let signed_in = server::services().ops_sign_in(form, &server::client()).await.map_err(server::page_error)?;
    server::set_ops_session(&signed_in.token, signed_in.max_age_s);
    leptos_axum::redirect(paths::OPS);
    Ok(())
}
