//! The certificate behind a link. By POST, so that the token stands in no query string; nothing is changed.

use clarity_domain::view::deletion::Certificate;
use leptos::prelude::*;

use crate::{error::PageError, wire::Wire};

#[server(name = FindCertificate, endpoint = "deletion/certificate")]
pub async fn certificate(token: String) -> Result<Wire<Certificate>, PageError> {
    use crate::server;
    server::services().find_certificate(&token).await.map(Wire).map_err(server::page_error)
}
