//! What the sign-in that waits in this browser may be finished with.

use clarity_domain::view::second_factor::SecondStep;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(name = ReadSecondStep, endpoint = "session/second_step", input = GetUrl)]
pub async fn second_step() -> Result<Wire<SecondStep>, PageError> {
    use crate::server;
    let pending = server::pending_sign_in();
    server::services().second_step(pending.as_deref()).await.map(Wire).map_err(server::page_error)
}
