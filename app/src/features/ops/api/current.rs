//! Who of the platform's own people is signed in, if anybody is. "Not found" where they have no doors.

use clarity_domain::view::support::OpsPerson;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "ops/current", input = GetUrl)]
pub async fn current() -> Result<Wire<Option<OpsPerson>>, PageError> {
    use crate::server;
    server::services().ops_doors().map_err(server::page_error)?;
    Ok(Wire(server::enter_ops().await.ok().map(|(_, seat)| seat.person())))
}
