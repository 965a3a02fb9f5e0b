//! Signs in, and goes where the person wanted to go; whoever has a second factor is asked for its code first.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "session/sign_in")]
pub async fn sign_in(email: String, password: String, next: Option<String>) -> Result<(), PageError> {
    use crate::{paths, server};
    use clarity_service::FirstStep;
    let form = clarity_service::SignIn { email, password };
    let first = server::services().sign_in(form, &server::client()).await.map_err(server::page_error)?;
    match first {
        FirstStep::SignedIn(signed_in) => {
            server::end_previous_session().await?;
            server::welcome(&signed_in, next.as_deref());
        }
        FirstStep::CodeNeeded(pending) => {
            server::set_pending_sign_in(&pending.token, pending.max_age_s);
            leptos_axum::redirect(&paths::sign_in_code(next.as_deref()));
        }
    }
    Ok(())
}
