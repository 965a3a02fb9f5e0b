//! Masks a field from now on. `of` is a source's id and a stream, as the form offers them.

use clarity_domain::{masking::MaskPlace, role::Role};
use leptos::prelude::*;

use crate::error::PageError;

#[server(endpoint = "masking/add")]
pub async fn add(
    slug: String,
    of: String,
    field: String,
    rule: String,
    #[server(default)] amount: String,
    place: MaskPlace,
    least_role: Option<Role>,
) -> Result<(), PageError> {
    use crate::server::{enter, page_error};
    use clarity_service::NewMask;
    let (services, seat) = enter(&slug).await.map_err(page_error)?;
    let form = NewMask { of, field, rule, amount, place, least_role };
    services.add_mask(&seat, form).await.map_err(page_error)?;
    leptos_axum::redirect(&crate::paths::masking(&slug));
    Ok(())
}
