//! What an act was answered when it was no. One that has to be confirmed first leads to where that is done, and back.

use clarity_domain::error::ErrorCode;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{
    error::PageError,
    paths,
    ui::{note::Banner, pill::Tone},
};

#[component]
pub fn Refused(error: PageError) -> impl IntoView {
    let location = use_location();
    let confirm = (error.code() == ErrorCode::ConfirmNeeded).then(|| {
        let here = paths::here(&location.pathname.get_untracked(), &location.search.get_untracked());
        view! { " " <a class="cs-link" href=paths::confirm_then(&here)>"Confirm it"</a> }
    });
    view! { <Banner tone=Tone::Bad alert=true>{error.message().to_owned()} {confirm}</Banner> }
}
