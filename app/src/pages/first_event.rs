//! `/w/:slug` while the workspace has no machine; drawn by the Overview's page in its own place.

use leptos::prelude::*;

use crate::features::set_up::{FirstEvent, FirstEventContent};

#[component]
pub fn FirstEventPage() -> impl IntoView {
    let page: FirstEvent = expect_context();
    view! { <FirstEventContent page/> }
}
