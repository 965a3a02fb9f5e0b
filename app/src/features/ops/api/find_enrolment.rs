//! Whose link it is, and the secret for their app. Sent as a form, so that the link's secret stands in no address.

use clarity_domain::view::support::OpsEnrolment;
use leptos::prelude::*;

use crate::{error::PageError, wire::Wire};

#[server(endpoint = "ops/find_enrolment")]
pub async fn find_enrolment(token: String) -> Result<Wire<OpsEnrolment>, PageError> {
    use crate::server;
    server::services().ops_enrolment(&token).await.map(Wire).map_err(server::page_error)
}
