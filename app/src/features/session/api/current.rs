//! Who is looking, if anybody is signed in.

use clarity_domain::view::session::Session;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "session/current", input = GetUrl)]
pub async fn current() -> Result<Wire<Option<Session>>, PageError> {
    Ok(Wire(crate::server::visitor().session().cloned()))
}
