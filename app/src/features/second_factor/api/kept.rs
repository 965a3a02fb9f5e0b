//! The person has the recovery codes: this browser forgets them, and goes on.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "second_factor/kept")]
pub async fn kept(next: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    use clarity_domain::error::AppError;
    if server::visitor().session().is_none() {
        return Err(server::page_error(AppError::unauthenticated()));
    }
    server::clear_recovery_codes();
    let wanted = next.as_deref().and_then(paths::local).map(str::to_owned);
    leptos_axum::redirect(&wanted.unwrap_or_else(|| paths::second_factor(None)));
    Ok(())
}
