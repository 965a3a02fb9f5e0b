//! A button that asks before an act that cannot be taken back. The question is a popover: it opens without script, closes
//! with Esc and a click outside, and gives focus back.

use leptos::prelude::*;

use super::button::{Button, Kind};

#[component]
pub fn Confirm(
    /// Of the question: another one for each on a page.
    #[prop(into)]
    id: String,
    /// The word on the button.
    #[prop(into)]
    act: String,
    /// The button's whole name for a screen reader: "Remove Maja Lind".
    #[prop(into)]
    label: String,
    #[prop(into)] question: String,
    /// What will be lost.
    #[prop(into)]
    message: String,
    #[prop(optional)] kind: Kind,
    /// The form that does it.
    children: Children,
) -> impl IntoView {
    let (target, name) = (id.clone(), question.clone());
    view! {
        <Button kind attr:popovertarget=target.clone() attr:aria-label=label>{act}</Button>
        <div class="cs-confirm" id=id popover="auto" role="dialog" aria-label=name>
            <p class="cs-confirm__question">{question}</p>
            <p>{message}</p>
            <div class="cs-confirm__acts">
                <Button kind=Kind::Quiet attr:popovertarget=target>"Cancel"</Button>
                {children()}
            </div>
        </div>
    }
}
