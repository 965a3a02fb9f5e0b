//! A page of the log, with the entry and the check that the URL asks for.

use clarity_domain::view::audit::{AuditLog, AuditQuery};
use leptos::prelude::*;
use server_fn::codec::GetUrl;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "audit/read", input = GetUrl)]
pub async fn read(slug: String, query: AuditQuery) -> Result<Wire<AuditLog>, PageError> {
    use crate::server::{enter, page_error};
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let mut log = services.audit(&seat, &query).await.map_err(page_error)?;
    if query.verify {
        log.chain = Some(services.verify_audit(&seat).await.map_err(page_error)?);
    }
    Ok(Wire(log))
}
