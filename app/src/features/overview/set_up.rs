//! That the set-up is not over yet, for those who can go on with it. It is drawn on every Overview, so it is small.

use leptos::prelude::*;

use crate::paths;

#[component]
pub fn SetUpNote(
    slug: String,
    /// Steps that are over, of four.
    over: u32,
) -> impl IntoView {
    view! {
        <p class="cs-card cs-overview__set-up">
            {format!("Set-up: {over} of 4 steps are over. ")}
            <a class="cs-link" href=paths::set_up(&slug)>"Continue"</a>
        </p>
    }
}
