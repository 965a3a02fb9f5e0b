//! How far a pairing is; with its code, for the browser that asked for it.

use clarity_domain::{ids::PairingId, view::pairing::Pairing};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "pairing/get", input = GetUrl)]
pub async fn get(slug: String, id: PairingId) -> Result<Wire<Pairing>, PageError> {
    use crate::server::{enter, page_error, pairing_code};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let mut pairing = services.pairing(&seat, id).await.map_err(page_error)?;
    pairing.code = pairing_code(&id.to_string());
    pairing.install_command = pairing.code.as_deref().map(|code| services.install_command(code));
    Ok(Wire(pairing))
}
