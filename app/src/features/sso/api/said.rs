//! Why single sign-on did not go through in this browser, said once.

use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "sso/said", input = GetUrl)]
pub async fn said() -> Result<Wire<Option<String>>, PageError> {
    Ok(Wire(crate::server::take_sso_said()))
}
