//! Invites somebody, and stays at the step: more may follow.

use clarity_domain::role::Role;
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "set_up/invite")]
pub async fn invite_colleague(slug: String, email: String, role: Role) -> Result<(), PageError> {
    use crate::{
        paths,
        server::{enter, page_error},
    };
    use clarity_domain::view::set_up::SetUpStep;
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    services.invite(&seat, &email, role).await.map_err(page_error)?;
    leptos_axum::redirect(&paths::set_up_step(&slug, SetUpStep::Colleagues));
    Ok(())
}
