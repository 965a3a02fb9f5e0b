//! The code after the password. Which sign-in it is for, a cookie of this browser says.

use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "session/finish_sign_in")]
pub async fn finish_sign_in(code: String, next: Option<String>) -> Result<(), PageError> {
    use crate::server;
    let pending = server::pending_sign_in().unwrap_or_default();
    let signed_in = server::services().finish_sign_in(&pending, &code, &server::client()).await;
    let signed_in = signed_in.map_err(server::page_error)?;
    server::clear_pending_sign_in();
    server::end_previous_session().await?;
    server::welcome(&signed_in, next.as_deref());
    Ok(())
}
