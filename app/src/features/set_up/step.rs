//! What each step's card ends with: the button that leaves it for later.

use clarity_domain::view::set_up::SetUpStep;
use leptos::{form::ActionForm, prelude::*};

use super::content::Forms;
use crate::ui::button::{Button, Kind};

#[component]
pub fn SkipButton(slug: String, step: SetUpStep, forms: Forms) -> impl IntoView {
    view! {
        <ActionForm action=forms.skip>
            <input type="hidden" name="slug" value=slug/>
            <input type="hidden" name="step" value=step.as_str()/>
            <Button submit=true kind=Kind::Quiet disabled=Signal::derive(move || forms.skip.pending().get())>"Skip this step"</Button>
        </ActionForm>
    }
}

/// The browser's time zone, as the page knows it once it runs.
#[cfg(feature = "hydrate")]
pub fn own_zone() -> Option<String> {
    let options = js_sys::Intl::DateTimeFormat::default().resolved_options();
    js_sys::Reflect::get(&options, &"timeZone".into()).ok()?.as_string()
}

#[cfg(not(feature = "hydrate"))]
pub fn own_zone() -> Option<String> {
    None
}
