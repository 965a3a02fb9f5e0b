//! What an act was answered when it was no. One that has to be confirmed first leads to where that is done, and back; where
//! something would be typed before, the page says so first.

use clarity_domain::error::ErrorCode;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{
    error::PageError,
    paths,
    ui::{button::LinkButton, note::Banner, pill::Tone},
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

/// In the place of a form, for who has to confirm that it is them: what is typed before that is lost on the way there and back.
#[component]
pub fn ConfirmFirst(
    /// What for: "to add a domain".
    to: &'static str,
) -> impl IntoView {
    let location = use_location();
    let here = paths::here(&location.pathname.get_untracked(), &location.search.get_untracked());
    view! { <div><LinkButton href=paths::confirm_then(&here)>"Confirm that it is you " {to}</LinkButton></div> }
}
