//! One's own place in the workspace, and for those who manage members the rest.

use clarity_domain::view::members::MembersPage;
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "members/read", input = GetUrl)]
pub async fn read(slug: String) -> Result<Wire<MembersPage>, PageError> {
    use crate::server::{enter, page_error};
    use clarity_domain::role::Permission;
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let own = services.membership(&seat).await.map_err(page_error)?;
    let all = if seat.role().may(Permission::ManageMembers) {
        Some(services.members(&seat).await.map_err(page_error)?)
    } else {
        None
    };
    Ok(Wire(MembersPage { own, all }))
}
