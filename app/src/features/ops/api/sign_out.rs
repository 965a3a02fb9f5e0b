//! Ends the session of one of the platform's own people.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "ops/sign_out")]
pub async fn ops_sign_out() -> Result<(), PageError> {
    use crate::{paths, server};
    server::services().ops_doors().map_err(server::page_error)?;
    if let Ok((services, seat)) = server::enter_ops().await {
        services.ops_sign_out(&seat).await.map_err(server::page_error)?;
    }
    server::clear_ops_session();
    leptos_axum::redirect(paths::OPS_SIGN_IN);
    Ok(())
}
